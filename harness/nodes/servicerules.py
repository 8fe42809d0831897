"""Service translation as nftables text. Pure.

For each protocol and number n of backends there is one map, keyed by the service's port and
a random number below n: choice is uniform, a lookup costs the same for 10 services and
10,000, and a change of one Service is a change of its elements only.

::

    prerouting, output   ClusterIP -> cluster maps; the node's own addresses -> node maps
    postrouting          masquerade NodePorts, ClusterIPs used from outside the pods, and a
                         pod that talks to itself through its Service
    forward, output      refuse what is still addressed to a ClusterIP: nobody serves it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.nodes.services import Backend, Forwarding, Protocol
from spiderpool.types.address import Family, Prefix, family_of

TABLE = "kube-proxy"

Contents = Mapping[str, frozenset[str]]
"""Elements of each set and map by its name, in nft's words."""

_CLUSTER_ADDRESSES, _HAIRPIN = "cluster-addresses", "hairpin"
_WORD = {Family.V4: "ip", Family.V6: "ip6"}
_LOOPBACK = {Family.V4: "127.0.0.0/8", Family.V6: "::1"}


@dataclass(frozen=True, slots=True)
class Ranges:
    """The cluster's address ranges of one family."""

    family: Family
    pods: tuple[Prefix, ...]
    services: tuple[Prefix, ...]

    @classmethod
    def of(cls, family: Family, pods: Iterable[Prefix], services: Iterable[Prefix]) -> Ranges:
        """Those of ``family`` among all."""
        return cls(
            family,
            tuple(prefix for prefix in pods if family_of(prefix) is family),
            tuple(prefix for prefix in services if family_of(prefix) is family),
        )


def skeleton(ranges: Ranges) -> str:
    """The table with its chains, before there is any Service."""
    word = _WORD[ranges.family]
    address = f"ipv{ranges.family.number}_addr"
    pods, services = ", ".join(ranges.pods), ", ".join(ranges.services)
    direct = "\n".join(
        f"  set {_direct(protocol)} {{ type inet_service; }}" for protocol in Protocol
    )
    return f"""
table {word} {TABLE} {{
  set {_CLUSTER_ADDRESSES} {{ type {address}; }}
  set {_HAIRPIN} {{ type {address} . {address}; }}
{direct}
  chain cluster {{ }}
  chain node {{ }}
  chain services {{
    {word} daddr @{_CLUSTER_ADDRESSES} goto cluster
    {word} daddr != {_LOOPBACK[ranges.family]} fib daddr type local goto node
  }}
  chain refuse {{
    ct state new {word} daddr @{_CLUSTER_ADDRESSES} reject
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat
    jump services
  }}
  chain output {{
    type nat hook output priority -100
    jump services
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat
    ct status & dnat == 0 return
    {word} saddr . {word} daddr @{_HAIRPIN} masquerade
    ct original {word} daddr {{ {services} }} {word} saddr != {{ {pods} }} masquerade
    ct original {word} daddr {{ {services} }} return
    meta l4proto tcp ct original proto-dst @{_direct(Protocol.TCP)} return
    meta l4proto udp ct original proto-dst @{_direct(Protocol.UDP)} return
    masquerade
  }}
  chain forward {{
    type filter hook forward priority filter
    jump refuse
  }}
  chain output-filter {{
    type filter hook output priority filter
    jump refuse
  }}
}}
"""


def contents(forwarding: Forwarding) -> Contents:
    """The elements that carry out ``forwarding``."""
    found: dict[str, set[str]] = {_CLUSTER_ADDRESSES: set(forwarding.addresses)}
    backends: set[Backend] = set()
    for port, chosen in forwarding.cluster_ports.items():
        backends.update(chosen)
        key = f"{port.address} . {port.port}"
        _spread(found, f"cluster-{port.protocol}", key, chosen)
    for node_port, chosen in forwarding.node_ports.items():
        backends.update(chosen)
        _spread(found, f"node-{node_port.protocol}", str(node_port.port), chosen)
        if node_port.direct:
            found.setdefault(_direct(node_port.protocol), set()).add(str(node_port.port))
    found[_HAIRPIN] = {f"{backend.address} . {backend.address}" for backend in backends}
    return {name: frozenset(elements) for name, elements in found.items()}


def change(old: Contents, new: Contents, family: Family) -> str:
    """The script that makes ``new`` of ``old``; empty when nothing changes."""
    lines = [_declaration(name, family) for name in sorted(new.keys() - old.keys())]
    lines += _elements("delete", old, new, family)
    lines += _elements("add", new, old, family)
    return "".join(f"{line}\n" for line in lines if line)


def after_change(old: Contents, new: Contents) -> Contents:
    """What the table holds then: maps that are not needed any more stay, empty."""
    return {**dict.fromkeys(old, frozenset()), **new}


def _elements(verb: str, those: Contents, without: Contents, family: Family) -> Iterator[str]:
    for name in sorted(those):
        if elements := sorted(those[name] - without.get(name, frozenset())):
            yield f"{verb} element {_WORD[family]} {TABLE} {name} {{ {', '.join(elements)} }}"


def _declaration(name: str, family: Family) -> str:
    """A map for a number of backends that was not needed before, and the rule that uses it."""
    kind, _, rest = name.partition("-")
    protocol, _, count = rest.partition("-")
    if kind not in ("cluster", "node") or not count:
        return ""
    word, table = _WORD[family], f"{_WORD[family]} {TABLE}"
    port = f"{protocol} dport . numgen random mod {count}"
    key = f"{word} daddr . {port}" if kind == "cluster" else port
    return (
        f"add map {table} {name} {{ typeof {key} : {word} daddr . {protocol} dport; }}\n"
        f"add rule {table} {kind} meta l4proto {protocol} dnat {word} to {key} map @{name}"
    )


def _spread(
    found: dict[str, set[str]], prefix: str, key: str, backends: tuple[Backend, ...]
) -> None:
    elements = found.setdefault(f"{prefix}-{len(backends)}", set())
    for number, backend in enumerate(backends):
        elements.add(f"{key} . {number} : {backend.address} . {backend.port}")


def _direct(protocol: Protocol) -> str:
    return f"direct-{protocol}"
