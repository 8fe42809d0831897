"""Cluster addresses and node ports of Services: who has which, and the next free one."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from harness.kubeapi import causes, status
from harness.kubeapi.objects import Object
from harness.kubeapi.status import Cause

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HEADLESS = "None"
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


@dataclass(frozen=True, slots=True)
class ServiceRanges:
    """Cluster CIDRs, the primary family first, and the node ports (both ends included)."""

    cidrs: tuple[str, ...] = ("10.233.0.0/18",)
    node_ports: tuple[int, int] = (30000, 32767)


class ServiceAllocator:
    """Completes Services and remembers what they hold."""

    def __init__(self, ranges: ServiceRanges) -> None:
        self.networks: tuple[Network, ...] = tuple(map(ipaddress.ip_network, ranges.cidrs))
        self._ports = ranges.node_ports
        self._addresses: set[str] = set()
        self._node_ports: set[tuple[str, int]] = set()

    def complete(self, old: Object | None, service: Object) -> None:
        """Fill in addresses and ports, in place. Raises 422 when the asked ones are taken."""
        mine = holdings(old) if old else (set[str](), set[tuple[str, int]]())
        spec = service["spec"]
        problems: list[Cause] = []
        if spec.get("type") == "ExternalName":
            for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                spec.pop(field, None)
        else:
            problems += self._addresses_of(spec, mine[0])
        if spec.get("type") in _WITH_NODE_PORTS:
            problems += self._ports_of(spec, mine[1])
        else:
            spec.pop("externalTrafficPolicy", None)
            for port in spec.get("ports") or []:
                port.pop("nodePort", None)
        if problems:
            raise status.invalid("Service", "", service["metadata"]["name"], problems)

    def take(self, old: Object | None, service: Object) -> None:
        if old:
            self.release(old)
        addresses, ports = holdings(service)
        self._addresses |= addresses
        self._node_ports |= ports

    def release(self, service: Object) -> None:
        addresses, ports = holdings(service)
        self._addresses -= addresses
        self._node_ports -= ports

    def _addresses_of(self, spec: Object, mine: set[str]) -> Iterator[Cause]:
        asked = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
        if asked and asked[0] == _HEADLESS:
            spec.update(clusterIP=_HEADLESS, clusterIPs=[_HEADLESS])
            _headless_families(spec, f"IPv{self.networks[0].version}")
            return
        networks = self._families(spec, asked)
        given: list[str] = []
        for network, address in itertools.zip_longest(networks, asked):
            problem = self._refusal(address, mine) if address else ""
            if problem:
                detail = f"failed to allocate IP {address}: {problem}"
                yield causes.invalid_value("spec.clusterIPs", asked, detail)
                return
            given.append(address or self._free(network, given))
        spec.update(clusterIP=given[0], clusterIPs=given)
        spec["ipFamilies"] = [f"IPv{ipaddress.ip_address(address).version}" for address in given]
        spec.setdefault("ipFamilyPolicy", "SingleStack")

    def _families(self, spec: Object, asked: list[str]) -> list[Network]:
        dual = spec.get("ipFamilyPolicy") in ("PreferDualStack", "RequireDualStack")
        wanted = spec.get("ipFamilies") or []
        networks = sorted(
            self.networks,
            key=lambda network: (
                wanted.index(f"IPv{network.version}") if f"IPv{network.version}" in wanted else 9
            ),
        )
        return list(networks[: max(2 if dual else 1, len(wanted), len(asked))])

    def _refusal(self, address: str, mine: set[str]) -> str:
        if not any(ipaddress.ip_address(address) in network for network in self.networks):
            return "the provided network does not match the current range"
        if address in self._addresses and address not in mine:
            return "provided IP is already allocated"
        return ""

    def _free(self, network: Network, given: list[str]) -> str:
        """The lowest free address above the band that is kept for addresses asked by number."""
        size = min(network.num_addresses, 1 << 16)
        band = min(max(16, size // 16), 256) if size > 32 else 0
        order = itertools.chain(range(band + 1, size - 1), range(1, band + 1))
        for offset in order:
            address = str(network[offset])
            if address not in self._addresses and address not in given:
                return address
        raise status.ApiError(
            500, "InternalError", f"Internal error occurred: range {network} is full"
        )

    def _ports_of(self, spec: Object, mine: set[tuple[str, int]]) -> Iterator[Cause]:
        low, high = self._ports
        given: set[tuple[str, int]] = set()
        for index, port in enumerate(spec.get("ports") or []):
            protocol, asked = port.get("protocol", "TCP"), port.get("nodePort")
            field = f"spec.ports[{index}].nodePort"
            if asked and not low <= asked <= high:
                detail = (
                    "provided port is not in the valid range. "
                    f"The range of valid ports is {low}-{high}"
                )
                yield causes.invalid_value(field, asked, detail)
            elif asked and (protocol, asked) in (self._node_ports - mine) | given:
                yield causes.invalid_value(field, asked, "provided port is already allocated")
            if not asked:
                taken = {number for _, number in self._node_ports | given}
                port["nodePort"] = asked = next(n for n in range(low, high + 1) if n not in taken)
            given.add((protocol, asked))


def _headless_families(spec: Object, primary: str) -> None:
    """Without a selector whoever writes the endpoints may use both families."""
    policy = "SingleStack" if spec.get("selector") else "RequireDualStack"
    families = spec.setdefault("ipFamilies", [primary])
    if spec.setdefault("ipFamilyPolicy", policy) == "RequireDualStack" and len(families) == 1:
        spec["ipFamilies"] = [*families, "IPv4" if families == ["IPv6"] else "IPv6"]


def holdings(service: Object) -> tuple[set[str], set[tuple[str, int]]]:
    """The addresses and the (protocol, node port) pairs that a Service has."""
    spec = service.get("spec") or {}
    addresses = {address for address in spec.get("clusterIPs") or [] if address != _HEADLESS}
    ports = {
        (port.get("protocol", "TCP"), port["nodePort"])
        for port in spec.get("ports") or []
        if port.get("nodePort")
    }
    return addresses, ports


def inherit(old: Object, service: Object) -> None:
    """An update that says nothing of addresses and node ports keeps those that it has."""
    external = (each["spec"].get("type") == "ExternalName" for each in (old, service))
    if any(external):
        return
    spec, before = dict(service["spec"]), old["spec"]
    service["spec"] = spec
    if not spec.get("clusterIP") and spec.get("clusterIPs") == before.get("clusterIPs"):
        spec.pop("clusterIPs", None)
    if not spec.get("clusterIP") and not spec.get("clusterIPs"):
        for field in ("clusterIP", "clusterIPs"):
            if field in before:
                spec[field] = before[field]
    for field in ("ipFamilies", "ipFamilyPolicy"):
        if field in before:
            spec.setdefault(field, before[field])
    known = {
        (port.get("protocol"), port["port"]): port["nodePort"]
        for port in before.get("ports") or []
        if port.get("nodePort")
    }
    for port in spec.get("ports") or []:
        number = known.get((port.get("protocol"), port["port"]))
        if number and spec.get("type") in _WITH_NODE_PORTS:
            port.setdefault("nodePort", number)
