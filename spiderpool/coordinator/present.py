"""Whether a namespace already is as an operation would make it.

A plan is what is wanted minus what is present, so that planning twice changes nothing;
CHECK is the same difference, and so is what remains to undo after a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import singledispatchmethod

from spiderpool.netlink.objects import Neighbour, NetState, Protocol, Route, Rule, Scope
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


def legs(route: Route) -> Iterator[Route]:
    """A multipath route as one route per next hop; other routes as they are."""
    if not route.nexthops:
        yield route
    for hop in route.nexthops:
        yield replace(route, link=hop.link, gateway=hop.gateway, nexthops=())


def canonical(route: Route) -> Route:
    """What tells routes apart: without who made them, in the form that a dump has."""
    route = replace(route, protocol=Protocol.UNSPEC, on_link=False)
    if route.family is Family.V6:
        return replace(route, scope=Scope.GLOBAL, metric=route.metric or _IPV6_METRIC)
    return route


class Present:
    """An index over a :class:`NetState` that answers whether an operation is needed."""

    def __init__(self, state: NetState) -> None:
        self.state = state
        self._routes = {canonical(leg) for route in state.routes for leg in legs(route)}
        self._routes |= {canonical(route) for route in state.routes if route.nexthops}
        self._rules = set(state.rules)
        self._neighbours = {(entry.link, entry.address): entry for entry in state.neighbours}

    def pending(self, wanted: Iterable[Operation]) -> tuple[Operation, ...]:
        """Those operations that would change something, each once, in order."""
        return tuple(op for op in dict.fromkeys(wanted) if not self.satisfies(op))

    @singledispatchmethod
    def satisfies(self, operation: Operation) -> bool:
        """Whether the namespace already is as ``operation`` would make it."""
        raise NotImplementedError(type(operation).__name__)

    @satisfies.register
    def _(self, operation: CreateLink) -> bool:
        return self.state.link(operation.name) is not None

    @satisfies.register
    def _(self, operation: DeleteLink) -> bool:
        return self.state.link(operation.name) is None

    @satisfies.register
    def _(self, operation: ChangeLink) -> bool:
        link = self.state.link(operation.name)
        return link is not None and all(
            wanted is None or wanted == getattr(link, field)
            for field, wanted in (
                ("up", operation.up),
                ("mac", operation.mac),
                ("mtu", operation.mtu),
                ("txqueuelen", operation.txqueuelen),
                ("master", operation.master),
            )
        )

    @satisfies.register
    def _(self, operation: AddAddress) -> bool:
        entry = operation.address
        return any(entry.address == e.address for e in self.state.addresses_of(entry.link))

    @satisfies.register
    def _(self, operation: DeleteAddress) -> bool:
        return not self.satisfies(AddAddress(operation.address))

    @satisfies.register
    def _(self, operation: AddRoute) -> bool:
        return canonical(operation.route) in self._routes

    @satisfies.register
    def _(self, operation: DeleteRoute) -> bool:
        return canonical(operation.route) not in self._routes

    @satisfies.register
    def _(self, operation: AddRule) -> bool:
        return self._has_rule(operation.rule)

    @satisfies.register
    def _(self, operation: DeleteRule) -> bool:
        return not self._has_rule(operation.rule)

    def _has_rule(self, rule: Rule) -> bool:
        return rule in self._rules

    @satisfies.register
    def _(self, operation: SetNeighbour) -> bool:
        return self._neighbour(operation.neighbour) == operation.neighbour

    @satisfies.register
    def _(self, operation: DeleteNeighbour) -> bool:
        return self._neighbour(operation.neighbour) is None

    def _neighbour(self, neighbour: Neighbour) -> Neighbour | None:
        return self._neighbours.get((neighbour.link, neighbour.address))

    @satisfies.register
    def _(self, operation: SetSysctl) -> bool:
        return self.state.sysctls.get(operation.key) == operation.value

    @satisfies.register
    def _(self, operation: MarkReplies) -> bool:
        return operation.link in self.state.reply_marks

    @satisfies.register
    def _(self, operation: UnmarkReplies) -> bool:
        return operation.link not in self.state.reply_marks
