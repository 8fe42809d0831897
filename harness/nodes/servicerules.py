"""Services as elements of kube-proxy's sets and maps in nftables. Pure.

For each protocol and number n of backends there is one map, keyed by the service's port and
a random number below n: choice is uniform, a lookup costs the same for 10 services and
10,000, and a change of one Service is a change of its elements only. Where clients stay with
a backend, the number is a hash of the client's address, in a map beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from harness.nodes.services import Backend, ClusterPort, Forwarding, ServicePort
from harness.nodes.servicetable import CLUSTER_ADDRESSES, HAIRPIN, TABLE, WORD
from spiderpool.types.address import Family

Contents = Mapping[str, frozenset[str]]
"""Elements of each set and map by its name, in nft's words."""

_STICKY, _SEED = "-sticky", 2
"""One seed for all maps: a client gets the same backend by a ClusterIP and by a NodePort."""
_CHOOSING_MAP = re.compile(rf"(cluster|node|own)-([a-z]+)-(\d+)({_STICKY})?")


def contents(forwarding: Forwarding) -> Contents:
    """The elements that carry out ``forwarding``."""
    found: dict[str, set[str]] = {CLUSTER_ADDRESSES: set(forwarding.addresses)}
    backends: set[Backend] = set()
    for kind, ports in (
        ("cluster", forwarding.cluster_ports),
        ("node", forwarding.node_ports),
        ("own", forwarding.own_node_ports),
    ):
        for port, chosen in ports.items():
            backends.update(chosen)
            name = f"{kind}-{port.protocol}-{len(chosen)}"
            name += _STICKY if port in forwarding.sticky else ""
            found.setdefault(name, set()).update(
                f"{_key(port)} . {number} : {backend.address} . {backend.port}"
                for number, backend in enumerate(chosen)
            )
    for port in forwarding.own_node_ports:
        found.setdefault(f"direct-{port.protocol}", set()).add(_key(port))
    for silent in forwarding.silent:
        kind = "silent" if isinstance(silent, ClusterPort) else "silentnode"
        found.setdefault(f"{kind}-{silent.protocol}", set()).add(_key(silent))
    found[HAIRPIN] = {f"{backend.address} . {backend.address}" for backend in backends}
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
            yield f"{verb} element {WORD[family]} {TABLE} {name} {{ {', '.join(elements)} }}"


def _declaration(name: str, family: Family) -> str:
    """A map for a number of backends that was not needed before, and the rule that uses it."""
    if not (match := _CHOOSING_MAP.fullmatch(name)):
        return ""
    kind, protocol, count, sticky = match.groups()
    word, table = WORD[family], f"{WORD[family]} {TABLE}"
    chosen = (
        f"jhash {word} saddr mod {count} seed {_SEED}" if sticky else f"numgen random mod {count}"
    )
    port = f"{protocol} dport . {chosen}"
    key = f"{word} daddr . {port}" if kind == "cluster" else port
    return (
        f"add map {table} {name} {{ typeof {key} : {word} daddr . {protocol} dport; }}\n"
        f"add rule {table} {kind} meta l4proto {protocol} dnat {word} to {key} map @{name}"
    )


def _key(port: ServicePort) -> str:
    """What a packet to it is told by, beside its protocol."""
    if isinstance(port, ClusterPort):
        return f"{port.address} . {port.port}"
    return str(port.port)
