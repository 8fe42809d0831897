"""State as lines of text, worded as iproute2 words it.

Without trailing blanks, and without what these objects do not hold: lifetimes, ``pref
medium``, and the ``dev lo`` of IPv6 routes that reject.
"""

from __future__ import annotations

from collections.abc import Iterator

from spiderpool.netlink.objects import (
    Link,
    LinkAddress,
    Neighbour,
    NetState,
    NextHop,
    Protocol,
    Route,
    RouteType,
    Rule,
    Scope,
)
from spiderpool.types.address import Family, family_of, length_of
from spiderpool.types.names import MAIN

_TABLES = {253: "default", 254: "main", 255: "local"}
_PROTOCOLS = {
    0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"
}  # fmt: skip
_RULE_ACTIONS = {3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}


def as_route_line(route: Route, *, with_table: bool = False) -> str:
    """As ``ip route show`` prints it; ``with_table`` as ``ip route show table all`` does.

    A multipath route has one line more for each next hop.
    """
    words = [
        route.type.name.lower() if route.type is not RouteType.UNICAST else "",
        "default" if route.is_default else _short(route.destination),
        _via(route.gateway, route.family),
        f"dev {route.link}" if route.link is not None else "",
        f"table {_table(route.table)}" if with_table and route.table != MAIN else "",
        f"proto {_protocol(route.protocol)}" if route.protocol != Protocol.BOOT else "",
        f"scope {_scope(route.scope)}" if route.scope is not Scope.GLOBAL else "",
        f"src {route.source}" if route.source is not None else "",
        f"metric {route.metric}" if route.metric else "",
        "onlink" if route.on_link and not route.nexthops else "",
    ]
    legs = "".join(f"\n\t{_leg(leg, route)}" for leg in route.nexthops)
    return " ".join(word for word in words if word) + legs


def as_rule_line(rule: Rule) -> str:
    """As ``ip rule`` prints it."""
    mask = f"/{rule.mask:#x}" if rule.mask is not None else ""
    words = [
        f"{rule.priority}:\tfrom {_short(rule.source) if rule.source is not None else 'all'}",
        f"to {_short(rule.destination)}" if rule.destination is not None else "",
        f"fwmark {rule.mark:#x}{mask}" if rule.mark is not None else "",
        f"iif {rule.iif}" if rule.iif is not None else "",
        f"oif {rule.oif}" if rule.oif is not None else "",
        _RULE_ACTIONS.get(rule.action) or f"lookup {_table(rule.table)}",
    ]
    return " ".join(word for word in words if word)


def as_address_line(entry: LinkAddress) -> str:
    """As the line of ``ip addr`` about an address, with the link at the end for both families."""
    words = [
        "inet6" if entry.family is Family.V6 else "inet",
        entry.address,
        f"brd {entry.broadcast}" if entry.broadcast is not None else "",
        f"scope {_scope(entry.scope)}",
        "secondary" if entry.secondary else "",
        "nodad" if entry.no_dad else "",
        "noprefixroute" if entry.no_prefix_route else "",
        entry.link,
    ]
    return " ".join(word for word in words if word)


def as_neighbour_line(entry: Neighbour) -> str:
    """As ``ip neigh`` prints it; what is not permanent is called REACHABLE."""
    words = [
        entry.address,
        f"dev {entry.link}",
        f"lladdr {entry.mac}" if entry.mac else "",
        "proxy" if entry.proxy else "PERMANENT" if entry.permanent else "REACHABLE",
    ]
    return " ".join(word for word in words if word)


def as_link_line(link: Link) -> str:
    """The parts of ``ip -d link`` that are known, in its words."""
    flags = {
        "LOOPBACK": link.loopback,
        "BROADCAST": link.broadcast,
        "MULTICAST": link.multicast,
        "UP": link.up,
    }
    parent = f"@if{link.parent_index}" if link.parent_index else ""
    words = [
        f"{link.index}: {link.name}{parent}:",
        f"<{','.join(flag for flag, is_set in flags.items() if is_set)}>",
        f"mtu {link.mtu}",
        f"master {link.master}" if link.master is not None else "",
        f"qlen {link.txqueuelen}",
        f"address {link.mac}" if link.mac else "",
        str(link.kind) if link.kind is not None else "",
    ]
    return " ".join(word for word in words if word)


def as_lines(state: NetState) -> Iterator[str]:
    """A whole state, one thing a line, in a fixed order of kinds."""
    yield from (as_link_line(link) for link in state.links)
    yield from (as_address_line(entry) for entry in state.addresses)
    yield from (as_rule_line(rule) for rule in state.rules)
    yield from (as_route_line(route, with_table=True) for route in state.routes)
    yield from (as_neighbour_line(entry) for entry in state.neighbours)
    yield from (f"replies marked for {link}" for link in state.reply_marks)
    yield from (f"net/{key} = {value}" for key, value in sorted(state.sysctls.items()))


def _short(prefix: str) -> str:
    """Without the length of a single host."""
    host = length_of(prefix) == family_of(prefix).bits
    return prefix.partition("/")[0] if host else prefix


def _via(gateway: str | None, family: Family) -> str:
    if gateway is None:
        return ""
    return f"via {gateway}" if family_of(gateway) is family else f"via inet6 {gateway}"


def _leg(leg: NextHop, route: Route) -> str:
    onlink = " onlink" if route.on_link else ""
    via = _via(leg.gateway, route.family)
    return f"nexthop {via}{' ' if via else ''}dev {leg.link} weight {leg.weight}{onlink}"


def _table(table: int) -> str:
    return _TABLES.get(table, str(table))


def _protocol(protocol: int) -> str:
    return _PROTOCOLS.get(protocol, str(int(protocol)))


def _scope(scope: Scope) -> str:
    return scope.name.lower()
