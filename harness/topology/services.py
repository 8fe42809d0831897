"""Services as nftables, the way kube-proxy means them: which packets go where. Pure.

One map a protocol turns address and port into an endpoint, so that a lookup costs the same
for one Service and for thousands, and a change is a few elements. A key has a slot besides;
a random slot is drawn for each connection, and a Service's endpoints share the slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spiderpool.types.address import Family, Prefix, family_of

Object = Mapping[str, Any]

SLOTS = 12
"""Divisible by 1, 2, 3, 4 and 6: so many endpoints share the load evenly."""

PROTOCOLS = ("tcp", "udp")
MASQUERADE = "0x4000"
"""The mark that kube-proxy gives to what must be answered by way of this node."""

SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Elements:
    """The contents of every set and map, by its name: key -> value, empty for sets."""

    contents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Port:
    """One port of one Service in one family, with where it leads."""

    addresses: tuple[str, ...]
    number: int
    node_port: int
    protocol: str
    endpoints: tuple[tuple[str, int], ...]


def base_script(family: Family, pod_cidrs: Iterable[Prefix]) -> str:
    """The nft script that makes the table of a family, without any Service in it."""
    name, kind = _names(family)
    cidrs = [cidr for cidr in pod_cidrs if family_of(cidr) is family]
    outside = f"{name} saddr != {{ {', '.join(cidrs)} }} " if cidrs else ""
    maps = "".join(_maps(name, protocol) for protocol in PROTOCOLS)
    mark = f"meta mark set meta mark or {MASQUERADE}"
    jumps = "\n    ".join(_translations(name, protocol) for protocol in PROTOCOLS)
    return f"""
table {name} kube-proxy {{
{maps}
  set cluster-ips {{ type {kind} . inet_proto . inet_service; }}
  set no-endpoints {{ type {kind} . inet_proto . inet_service; }}
  set hairpins {{ type {kind} . {kind}; }}
  chain services {{
    {outside}{name} daddr . meta l4proto . th dport @cluster-ips {mark}
    {jumps}
  }}
  chain prerouting {{ type nat hook prerouting priority dstnat; jump services; }}
  chain output {{ type nat hook output priority -100; jump services; }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    meta mark and {MASQUERADE} != 0 meta mark set meta mark xor {MASQUERADE} masquerade
    ct status dnat {name} saddr . {name} daddr @hairpins masquerade
  }}
  chain refuse {{ {name} daddr . meta l4proto . th dport @no-endpoints reject; }}
  chain forward {{ type filter hook forward priority filter; ct state invalid drop; jump refuse; }}
  chain local {{ type filter hook output priority filter; jump refuse; }}
}}
"""


def _names(family: Family) -> tuple[str, str]:
    return ("ip", "ipv4_addr") if family is Family.V4 else ("ip6", "ipv6_addr")


def _maps(name: str, protocol: str) -> str:
    slot = f"numgen random mod {SLOTS}"
    target = f"{name} daddr . {protocol} dport"
    return f"""
  map {protocol}-services {{ typeof {name} daddr . {protocol} dport . {slot} : {target}; }}
  map {protocol}-node-ports {{ typeof {protocol} dport . {slot} : {target}; }}
  set {protocol}-open-node-ports {{ type inet_service; }}"""


def _translations(name: str, protocol: str) -> str:
    """A NodePort is any address of the node; its clients are answered by way of this node."""
    slot = f"numgen random mod {SLOTS}"
    at_node = f"fib daddr type local {protocol} dport"
    return f"""dnat {name} to {name} daddr . {protocol} dport . {slot} map @{protocol}-services
    {at_node} @{protocol}-open-node-ports meta mark set meta mark or {MASQUERADE}
    fib daddr type local dnat {name} to {protocol} dport . {slot} map @{protocol}-node-ports"""


def elements(family: Family, services: Iterable[Object], slices: Iterable[Object]) -> Elements:
    """What the sets and maps of a family hold for these Services and EndpointSlices."""
    contents: dict[str, dict[str, str]] = {
        "cluster-ips": {},
        "no-endpoints": {},
        "hairpins": {},
        **{f"{p}-services": {} for p in PROTOCOLS},
        **{f"{p}-node-ports": {} for p in PROTOCOLS},
        **{f"{p}-open-node-ports": {} for p in PROTOCOLS},
    }
    for port in _ports(family, list(services), list(slices)):
        for address in port.addresses:
            key = f"{address} . {port.protocol} . {port.number}"
            contents["cluster-ips" if port.endpoints else "no-endpoints"][key] = ""
        if port.node_port and port.endpoints:
            contents[f"{port.protocol}-open-node-ports"][str(port.node_port)] = ""
        for slot in range(SLOTS if port.endpoints else 0):
            target, number = port.endpoints[slot % len(port.endpoints)]
            value = f"{target} . {number}"
            for address in port.addresses:
                key = f"{address} . {port.number} . {slot}"
                contents[f"{port.protocol}-services"][key] = value
            if port.node_port:
                contents[f"{port.protocol}-node-ports"][f"{port.node_port} . {slot}"] = value
        for target, _ in port.endpoints:
            contents["hairpins"][f"{target} . {target}"] = ""
    return Elements(contents)


def _ports(family: Family, services: list[Object], slices: list[Object]) -> Iterator[_Port]:
    for service in services:
        spec = service.get("spec") or {}
        cluster_ips = spec.get("clusterIPs") or [spec.get("clusterIP")]
        own = [ip for ip in cluster_ips if ip and ip != "None" and family_of(ip) is family]
        if not own:
            continue
        external = [ip for ip in spec.get("externalIPs") or () if family_of(ip) is family]
        for port in spec.get("ports") or ():
            protocol = port.get("protocol", "TCP").lower()
            if protocol in PROTOCOLS:
                yield _Port(
                    (*own, *external),
                    port["port"],
                    port.get("nodePort") or 0,
                    protocol,
                    tuple(_endpoints(family, service, port, slices)),
                )


def _endpoints(
    family: Family, service: Object, port: Object, slices: list[Object]
) -> Iterator[tuple[str, int]]:
    metadata = service["metadata"]
    for piece in slices:
        labels = piece["metadata"].get("labels") or {}
        if (
            piece["metadata"]["namespace"] == metadata["namespace"]
            and labels.get(SERVICE_LABEL) == metadata["name"]
            and piece.get("addressType") == f"IPv{family.number}"
        ):
            for served in piece.get("ports") or ():
                if _same_port(served, port):
                    for endpoint in piece.get("endpoints") or ():
                        if (endpoint.get("conditions") or {}).get("ready", True):
                            yield endpoint["addresses"][0], served["port"]


def _same_port(served: Object, port: Object) -> bool:
    """EndpointSlice ports are matched to Service ports by name, and by protocol."""
    return (served.get("name") or "") == (port.get("name") or "") and served.get(
        "protocol", "TCP"
    ) == port.get("protocol", "TCP")


def update_script(family: Family, before: Elements, after: Elements) -> str:
    """The nft script that leads from one to the other; empty when they are the same."""
    table = f"{_names(family)[0]} kube-proxy"
    lines = []
    for name, new in after.contents.items():
        old = before.contents.get(name, {})
        gone = [key for key, value in old.items() if new.get(key) != value]
        come = [(key, value) for key, value in new.items() if old.get(key) != value]
        if gone:
            lines.append(f"delete element {table} {name} {{ {', '.join(gone)} }}")
        if come:
            items = ", ".join(f"{key} : {value}" if value else key for key, value in come)
            lines.append(f"add element {table} {name} {{ {items} }}")
    return "\n".join(lines)
