"""Which NIC the kernel says that a packet would take, and the entry of a table that decides."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.trace.explain import Decision
from spiderpool.coordinator.present import legs
from spiderpool.errors import OperationFailed
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.lines import as_route_line
from spiderpool.netlink.lookup import Question, ask_all
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Route
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Address

_ROUTES = Selection(addresses_of=(), neighbours_of=(), rules=False)


@dataclass(frozen=True, slots=True)
class Way:
    """``nic``: the link that a packet would leave by; empty when it would not leave.

    ``route``: the entry of a table that decides, or why the packet would not leave. ``equals``:
    the links of all routes that are as good, of which the kernel takes one by what it knows of
    gateways (IPv4), or by a hash of the packet (IPv6).
    """

    nic: str
    route: str
    next_hop: Address | None = None
    equals: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.nic or 'nowhere'} ({self.route})"


def ways(decisions: Iterable[Decision], namespaces: Mapping[str, Namespace]) -> dict[Decision, Way]:
    """What the kernel says now about decisions of these places.

    Raises:
        OperationFailed: a namespace cannot be asked.
    """
    by_place: dict[str, list[Decision]] = {place: [] for place in namespaces}
    for decision in dict.fromkeys(decisions):
        by_place[decision.place].append(decision)
    found: dict[Decision, Way] = {}
    for place, listed in by_place.items():
        answers = _ask(namespaces[place], [decision.question for decision in listed])
        found |= dict(zip(listed, answers, strict=True))
    return found


def _ask(namespace: Namespace, questions: list[Question]) -> list[Way]:
    with Kernel(namespace) as kernel:
        taken = ask_all(kernel, questions)
        entries = ask_all(kernel, questions, fib_match=True)
        routes = kernel.dump(_ROUTES).routes
    return [_way(*one, routes) for one in zip(questions, taken, entries, strict=True)]


def _way(
    question: Question,
    taken: Route | OperationFailed,
    entry: Route | OperationFailed,
    routes: Iterable[Route],
) -> Way:
    if isinstance(taken, OperationFailed):
        return Way("", os.strerror(taken.errno).lower())
    if isinstance(entry, OperationFailed):
        return Way(taken.link or "", "", taken.gateway or question.destination)
    line = as_route_line(entry, with_table=True)
    equal = frozenset(
        leg.link or "" for route in routes if _rank(route) == _rank(entry) for leg in legs(route)
    )
    return Way(taken.link or "", line, taken.gateway or question.destination, equal)


def _rank(route: Route) -> tuple[str, int, int]:
    return route.destination, route.table, route.metric
