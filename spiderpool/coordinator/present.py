"""Whether a namespace already is as an operation would make it.

A plan is what is wanted minus what is present, so that planning twice changes nothing;
CHECK is the same difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from spiderpool.netlink.objects import LinkAddress, NetState, Route
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteAddress,
    DeleteLink,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    MarkReplies,
    Operation,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.types.address import Family

_IPV6_METRIC = 1024
"""What the kernel stores for an IPv6 route that was given no metric."""

RouteKey = tuple[object, ...]


def legs(route: Route) -> Iterator[Route]:
    """A multipath route as one route per next hop; other routes as they are."""
    if not route.nexthops:
        yield route
    for hop in route.nexthops:
        yield replace(route, link=hop.link, gateway=hop.gateway, nexthops=())


def route_key(route: Route) -> RouteKey:
    """What tells routes apart, whoever made them: IPv6 has a metric always, and no scope."""
    is_v6 = route.family is Family.V6
    return (
        route.destination,
        route.table,
        route.link,
        route.gateway,
        route.source,
        route.metric or (_IPV6_METRIC if is_v6 else 0),
        None if is_v6 else route.scope,
        route.type,
        route.nexthops,
    )


class Present:
    """An index over a :class:`NetState` that answers whether an operation is needed."""

    def __init__(self, state: NetState) -> None:
        self.state = state
        self._routes = {route_key(route) for route in state.routes}
        self._routes |= {
            route_key(leg) for route in state.routes if route.nexthops for leg in legs(route)
        }
        self._rules = set(state.rules)
        self._neighbours = {(entry.link, entry.address): entry for entry in state.neighbours}

    def pending(self, wanted: Iterable[Operation]) -> tuple[Operation, ...]:
        """Those operations that would change something, each once, in order."""
        return tuple(op for op in dict.fromkeys(wanted) if not self.satisfies(op))

    def satisfies(self, operation: Operation) -> bool:
        """Whether the namespace already is as ``operation`` would make it."""
        match operation:
            case AddRoute(route):
                return route_key(route) in self._routes
            case DeleteRoute(route):
                return route_key(route) not in self._routes
            case AddRule(rule):
                return rule in self._rules
            case DeleteRule(rule):
                return rule not in self._rules
            case SetNeighbour(entry):
                return self._neighbours.get((entry.link, entry.address)) == entry
            case DeleteNeighbour(entry):
                return (entry.link, entry.address) not in self._neighbours
            case AddAddress(entry):
                return self._has_address(entry)
            case DeleteAddress(entry):
                return not self._has_address(entry)
            case _:
                return self._satisfies_setting(operation)

    def _satisfies_setting(self, operation: Operation) -> bool:
        match operation:
            case CreateLink(name):
                return self.state.link(name) is not None
            case DeleteLink(name):
                return self.state.link(name) is None
            case ChangeLink():
                return self._is_as_changed(operation)
            case SetSysctl(key, value):
                return self.state.sysctls.get(key) == value
            case MarkReplies(link):
                return link in self.state.reply_marks
            case UnmarkReplies(link):
                return link not in self.state.reply_marks
            case _:
                raise TypeError(type(operation).__name__)

    def _has_address(self, wanted: LinkAddress) -> bool:
        return any(
            entry.address == wanted.address for entry in self.state.addresses_of(wanted.link)
        )

    def _is_as_changed(self, change: ChangeLink) -> bool:
        link = self.state.link(change.name)
        return link is not None and all(
            getattr(change, field) in (None, getattr(link, field))
            for field in ("up", "mac", "mtu", "txqueuelen", "master")
        )
