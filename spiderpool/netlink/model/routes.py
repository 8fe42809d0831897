"""Routing tables (net/ipv4/fib_trie.c, fib_semantics.c, net/ipv6/ip6_fib.c, route.c).

IPv6 keeps next hops of one destination and metric as a multipath route: they are merged
when added and fall apart when deleted.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import NetState, NextHop, Route, RouteType, Scope
from spiderpool.types.address import Family, address_of, contains, family_of, length_of
from spiderpool.types.names import MAIN, TableID

IPV6_METRIC = 1024
REJECTING = (RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.THROW)


def add(state: NetState, route: Route) -> NetState:
    """Append, as ``ip route append`` does."""
    route = normal(route)
    for leg in legs(route):
        _check_leg(state, leg)
    if route.source is not None and not _is_local(state, route.source):
        raise Refusal(errno.EINVAL)
    if route.family is Family.V4:
        if route in state.routes:
            raise Refusal(errno.EEXIST)
        return replace(state, routes=(*state.routes, route))
    return _add_ipv6(state, route)


def delete(state: NetState, route: Route) -> NetState:
    """Remove the first route that agrees in what ``route`` gives."""
    for leg in legs(route):
        if leg.link is not None and state.link(leg.link) is None:
            raise Refusal(errno.ENODEV)
    if route.family is Family.V6:
        return _delete_ipv6(state, route)
    for candidate in state.routes:
        if _agrees_ipv4(candidate, route):
            routes = tuple(one for one in state.routes if one is not candidate)
            return replace(state, routes=routes)
    raise Refusal(errno.ESRCH)


def normal(route: Route) -> Route:
    """As a dump shows it."""
    if route.type in REJECTING:
        route = replace(route, link=None, gateway=None, nexthops=())
    if len(route.nexthops) == 1 and route.family is Family.V6:
        (leg,) = route.nexthops
        route = replace(route, link=leg.link, gateway=leg.gateway, nexthops=())
    if route.family is Family.V6:
        return replace(route, scope=Scope.GLOBAL, metric=route.metric or IPV6_METRIC)
    return route


def legs(route: Route) -> Iterator[Route]:
    """One route for each next hop."""
    if not route.nexthops:
        yield route
    for leg in route.nexthops:
        yield replace(route, link=leg.link, gateway=leg.gateway, nexthops=())


def without(state: NetState, unwanted: Callable[[Route], bool]) -> NetState:
    """Drop the legs for which ``unwanted`` holds, and routes that have none left."""
    kept = []
    for route in state.routes:
        rest = [leg for leg in legs(route) if not unwanted(leg)]
        if len(rest) == max(1, len(route.nexthops)):
            kept.append(route)
        elif rest:
            kept.append(_merged(route, rest))
    return replace(state, routes=tuple(kept))


def link_down(state: NetState, name: str, families: Collection[Family] = tuple(Family)) -> NetState:
    """A link that is down takes the routes of which no leg is left alive."""

    def dead(leg: Route) -> bool:
        link = state.link(leg.link) if leg.link is not None else None
        return link is not None and (link.name == name or not link.up)

    kept = tuple(
        route
        for route in state.routes
        if route.family not in families or not all(dead(leg) for leg in legs(route))
    )
    return replace(state, routes=kept)


def links_gone(state: NetState, names: Collection[str]) -> NetState:
    """Deleted links take their legs in IPv6, and in IPv4 the whole multipath route."""
    whole = tuple(
        route
        for route in state.routes
        if route.family is Family.V6 or not any(leg.link in names for leg in legs(route))
    )
    return without(replace(state, routes=whole), lambda leg: leg.link in names)


def _check_leg(state: NetState, leg: Route) -> None:
    if leg.type in REJECTING:
        return
    if leg.link is None:
        if leg.gateway is None:
            raise Refusal(errno.ENODEV if leg.family is Family.V6 else errno.EINVAL)
        return
    link = state.link(leg.link)
    if link is None:
        raise Refusal(errno.ENODEV)
    if leg.gateway is not None and not leg.on_link and not _reachable(state, leg):
        raise Refusal(errno.ENETUNREACH if leg.family is Family.V4 else errno.EHOSTUNREACH)
    if not link.up:
        raise Refusal(errno.ENETDOWN)


def _reachable(state: NetState, leg: Route) -> bool:
    """Whether the gateway is a direct neighbour on the link, as a lookup of it says.

    The kernel looks in the route's own table first, then where rules that hold for any
    packet lead. IPv4 wants a route of link scope, IPv6 one without a gateway.
    """
    gateway = str(leg.gateway)
    if leg.family is Family.V6 and gateway.startswith("fe80:"):
        return True
    tables = {leg.table, *general_tables(state, leg.family)}
    return any(
        known.table in tables
        and known.link == leg.link
        and known.gateway is None
        and (leg.family is Family.V6 or known.scope >= Scope.LINK)
        and contains(known.destination, gateway)
        for route in state.routes
        for known in legs(route)
        if known.type is RouteType.UNICAST
    )


def general_tables(state: NetState, family: Family) -> list[TableID]:
    """Tables that every packet is looked up in, in order; main when no rules are known."""
    found = [
        rule.table
        for rule in state.rules
        if rule.family is family
        and (rule.source, rule.destination, rule.mark, rule.iif, rule.oif) == (None,) * 5
    ]
    return found or [MAIN]


def deciding(state: NetState, address: str) -> Route | None:
    """The entry that a packet to ``address`` would take, by rules that hold for any packet:
    of the first table that has any, the longest; then the lowest metric, then the first."""
    for table in general_tables(state, family_of(address)):
        found = [
            route
            for route in state.routes
            if route.table == table and contains(route.destination, address)
        ]
        if found:
            return min(found, key=lambda one: (-length_of(one.destination), one.metric))
    return None


def _is_local(state: NetState, source: str) -> bool:
    return any(address_of(entry.address) == source for entry in state.addresses)


def _agrees_ipv4(candidate: Route, wanted: Route) -> bool:
    """``fib_table_delete``: metric, protocol, source, link and gateway count when given.

    Link and gateway are compared to the first leg only, and all legs go with it.
    """
    first = next(legs(candidate))
    return (
        (candidate.destination, candidate.table, candidate.type, candidate.scope)
        == (wanted.destination, wanted.table, wanted.type, wanted.scope)
        and wanted.metric in (0, candidate.metric)
        and wanted.protocol in (0, candidate.protocol)
        and wanted.source in (None, candidate.source)
        and wanted.link in (None, first.link)
        and wanted.gateway in (None, first.gateway)
        and wanted.nexthops in ((), candidate.nexthops)
    )


def _place(route: Route) -> tuple[str, int, int]:
    return route.destination, route.table, route.metric


def _add_ipv6(state: NetState, route: Route) -> NetState:
    """Equal link and gateway is a duplicate; with a gateway each, they become one route."""
    for known in state.routes:
        if _place(known) != _place(route):
            continue
        pairs = {(leg.link, leg.gateway) for leg in legs(known)}
        if any((leg.link, leg.gateway) in pairs for leg in legs(route)):
            raise Refusal(errno.EEXIST)
    for known in state.routes:
        if _place(known) == _place(route) and _joins(known) and _joins(route):
            merged = _merged(known, [*legs(known), *legs(route)])
            others = tuple(merged if one is known else one for one in state.routes)
            return replace(state, routes=others)
    return replace(state, routes=(*state.routes, route))


def _joins(route: Route) -> bool:
    return all(leg.gateway is not None for leg in legs(route))


def _merged(route: Route, found: list[Route]) -> Route:
    if len(found) == 1 and route.family is Family.V6:
        (leg,) = found
        return replace(route, link=leg.link, gateway=leg.gateway, nexthops=())
    hops = tuple(NextHop(leg.link, leg.gateway) for leg in found if leg.link is not None)
    return replace(route, link=None, gateway=None, nexthops=hops)


def _delete_ipv6(state: NetState, wanted: Route) -> NetState:
    """``ip6_route_del``: each leg that is named; without a gateway, the first on the link."""
    for leg in legs(wanted):
        victim = next(
            (one for known in state.routes for one in legs(known) if _agrees_ipv6(one, leg)), None
        )
        if victim is None:
            raise Refusal(errno.ESRCH)
        state = without(state, victim.__eq__)
    return state


def _agrees_ipv6(candidate: Route, wanted: Route) -> bool:
    return (
        (candidate.destination, candidate.table) == (wanted.destination, wanted.table)
        and wanted.metric in (0, candidate.metric)
        and wanted.protocol in (0, candidate.protocol)
        and wanted.link in (None, candidate.link)
        and wanted.gateway in (None, candidate.gateway)
    )
