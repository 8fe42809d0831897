"""What Services and EndpointSlices mean to one node: which ports lead where. Pure.

Facts follow kube-proxy (Kubernetes documentation, "Virtual IPs and Service Proxies", and the
rules that its nftables mode makes).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spiderpool.kube.api import Object
from spiderpool.types.address import Address, Family, family_of, parse_address

SERVICE_LABEL = "kubernetes.io/service-name"


class Protocol(enum.StrEnum):
    """A service port's ``protocol``, in nftables' spelling."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    address: Address
    port: int


@dataclass(frozen=True, slots=True, order=True)
class ClusterPort:
    """A port of a ClusterIP."""

    protocol: Protocol
    address: Address
    port: int


@dataclass(frozen=True, slots=True, order=True)
class NodePort:
    """A port of every address of the node.

    ``direct``: clients' addresses are kept (externalTrafficPolicy Local).
    """

    protocol: Protocol
    port: int
    direct: bool = False


ServicePort = ClusterPort | NodePort


@dataclass(frozen=True, slots=True)
class _Served:
    """A port, who serves it here, and who does on any node."""

    port: ServicePort
    backends: tuple[Backend, ...]
    everywhere: tuple[Backend, ...]
    sticky: bool


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What one node translates in one family.

    A port without backends does not appear, but its address is in ``addresses``: what goes
    there is refused, but what goes to a ``silent`` port, which only other nodes serve, is
    dropped. Pods and the node itself may use these all the same, as ``own_node_ports`` say.
    Clients of ``sticky`` ports stay with a backend as long as the backends are the same.
    """

    family: Family
    addresses: frozenset[Address]
    cluster_ports: Mapping[ClusterPort, tuple[Backend, ...]]
    node_ports: Mapping[NodePort, tuple[Backend, ...]]
    own_node_ports: Mapping[NodePort, tuple[Backend, ...]] = field(default_factory=dict)
    silent: frozenset[ServicePort] = frozenset()
    sticky: frozenset[ServicePort] = frozenset()


def forwarding(
    services: Iterable[Object], slices: Iterable[Object], family: Family, node: str
) -> Forwarding:
    """What ``node`` translates, for objects as the API serves them."""
    by_service = _by_service(slices, family)
    addresses: set[Address] = set()
    served: list[_Served] = []
    for service in services:
        address = cluster_address(service, family)
        if address is None:
            continue
        addresses.add(address)
        key = service["metadata"]["namespace"], service["metadata"]["name"]
        served += _served(service, address, by_service.get(key, ()), node)
    here = [(each.port, each.backends) for each in served if each.backends]
    anywhere = [(each.port, each.everywhere) for each in served if each.everywhere]
    return Forwarding(
        family,
        frozenset(addresses),
        {port: found for port, found in here if isinstance(port, ClusterPort)},
        {port: found for port, found in here if isinstance(port, NodePort)},
        {port: found for port, found in anywhere if isinstance(port, NodePort) and port.direct},
        silent=frozenset(each.port for each in served if each.everywhere and not each.backends),
        sticky=frozenset(each.port for each in served if each.sticky),
    )


def _by_service(
    slices: Iterable[Object], family: Family
) -> Mapping[tuple[str, str], Sequence[Object]]:
    """By the namespace and name of the Service."""
    found: dict[tuple[str, str], list[Object]] = {}
    for entry in slices:
        metadata = entry["metadata"]
        name = (metadata.get("labels") or {}).get(SERVICE_LABEL)
        if name is not None and entry.get("addressType") == f"IPv{family.number}":
            found.setdefault((metadata["namespace"], name), []).append(entry)
    return found


def _served(
    service: Object, address: Address, slices: Sequence[Object], node: str
) -> Iterator[_Served]:
    spec = service["spec"]
    sticky = spec.get("sessionAffinity") == "ClientIP"
    for port, protocol in _ports(service):
        found = list(_endpoints(slices, port, protocol))
        everywhere = _backends(found, node, None)
        inner = _backends(found, node, spec.get("internalTrafficPolicy"))
        yield _Served(ClusterPort(protocol, address, port["port"]), inner, everywhere, sticky)
        if port.get("nodePort"):
            policy = spec.get("externalTrafficPolicy")
            outer = NodePort(protocol, port["nodePort"], direct=policy == "Local")
            yield _Served(outer, _backends(found, node, policy), everywhere, sticky)


def cluster_address(service: Object, family: Family) -> Address | None:
    """The ClusterIP of that family; headless and external Services have none."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return None
    where = f"Service {service['metadata']['name']}: spec.clusterIPs"
    for text in spec.get("clusterIPs") or [spec.get("clusterIP")]:
        if text and text != "None" and family_of(text) is family:
            return parse_address(text, where)
    return None


def _ports(service: Object) -> Iterator[tuple[Mapping[str, Any], Protocol]]:
    for port in service["spec"].get("ports") or ():
        protocol = port.get("protocol", "TCP").lower()
        if protocol in set(Protocol):
            yield port, Protocol(protocol)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    backend: Backend
    node: str | None
    ready: bool
    serving_last: bool
    """Used when no endpoint is ready any more: it is terminating, and still serves."""


def _endpoints(
    slices: Iterable[Object], port: Mapping[str, Any], protocol: Protocol
) -> Iterator[_Endpoint]:
    """Endpoints behind the service port: slices name their ports as the Service does."""
    for entry in slices:
        numbers = [
            target["port"]
            for target in entry.get("ports") or ()
            if (target.get("name") or "") == (port.get("name") or "")
            and target.get("protocol", "TCP").lower() == protocol
        ]
        for endpoint in entry.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            terminating = conditions.get("terminating", False)
            for number in numbers:
                address = parse_address(endpoint["addresses"][0], _where(entry))
                yield _Endpoint(
                    Backend(address, number),
                    endpoint.get("nodeName"),
                    conditions.get("ready") is not False and not terminating,
                    terminating and conditions.get("serving", False),
                )


def _backends(found: list[_Endpoint], node: str, policy: str | None) -> tuple[Backend, ...]:
    """Ready ones, else terminating ones that serve; of this node only when ``policy`` is Local."""
    usable = [e for e in found if policy != "Local" or e.node == node]
    chosen = [e for e in usable if e.ready] or [e for e in usable if e.serving_last]
    return tuple(sorted({endpoint.backend for endpoint in chosen}))


def _where(entry: Object) -> str:
    return f"EndpointSlice {entry['metadata']['name']}: endpoints"
