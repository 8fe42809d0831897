"""What two namespaces mean, as statements that compare whatever numbers were chosen.

A routing table counts by who is led to it: ``main``, ``from 10.6.212.145``, ``mark 0x1``;
a table that no rule leads to is told apart. Numbers of tables and rules are statements of
their own.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from harness.golden.recorded import Pair
from spiderpool.coordinator.present import legs
from spiderpool.netlink.lines import as_route_line
from spiderpool.netlink.objects import NetState, Protocol, Route, Rule, Scope
from spiderpool.types.address import Family
from spiderpool.types.names import LOCAL, MAIN, TableID

MAIN_VIEW = "main"
_OF_IPV6 = " ipv6"
IS_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class Kind(enum.StrEnum):
    """What a statement is about."""

    LINK = "link"
    ADDRESS = "address"
    ROUTE = "route"
    NUMBER = "number"
    NEIGHBOUR = "neighbour"
    MARKS = "marks"


@dataclass(frozen=True, slots=True)
class Statement:
    """``place`` is ``pod`` or ``node`` in a recorded case; ``view`` says of routes and numbers
    who uses them."""

    place: str
    kind: Kind
    view: str
    text: str
    route: Route | None = None
    link: str = ""

    def __str__(self) -> str:
        return " ".join(word for word in (self.place, self.kind, self.view, self.text) if word)


def meaning(pair: Pair, known_links: frozenset[str]) -> frozenset[Statement]:
    """Everything that the pair says, but for what the kernel keeps by itself or forgets.

    MACs of links other than ``known_links`` were drawn at random and are not compared.
    """
    return meaning_of({"pod": pair.pod, "node": pair.node}, known_links)


def meaning_of(
    states: Mapping[str, NetState], known_links: frozenset[str] = frozenset()
) -> frozenset[Statement]:
    """The same of any places."""
    named = [(place, link) for place, state in states.items() for link in state.links]
    owners = Counter(link.mac for _, link in named)
    names = {one.mac: f"{place}:{one.name}" for place, one in named if owners[one.mac] == 1}
    statements: set[Statement] = set()
    for place, state in states.items():
        statements |= set(_state(place, state, names))
        for link in state.links:
            mac = link.mac if f"{place}:{link.name}" in known_links else ""
            text = f"mtu {link.mtu} txqueuelen {link.txqueuelen} {'up' if link.up else 'down'}"
            statements.add(Statement(place, Kind.LINK, link.name, f"{text} {mac}", link=link.name))
        statements |= {Statement(place, Kind.MARKS, name, "") for name in state.reply_marks}
    return frozenset(statements)


def links_of(pair: Pair) -> frozenset[str]:
    """``pod:eth0`` and so on: links that have a MAC."""
    places = (("pod", pair.pod), ("node", pair.node))
    return frozenset(
        f"{place}:{link.name}"
        for place, state in places
        for link in state.links
        if IS_MAC.fullmatch(link.mac)
    )


def _state(place: str, state: NetState, names: dict[str, str]) -> Iterator[Statement]:
    for entry in state.addresses:
        if entry.scope is not Scope.LINK:
            yield Statement(place, Kind.ADDRESS, entry.link, entry.address, link=entry.link)
    yield from _tables(place, state)
    for neighbour in state.neighbours:
        if neighbour.permanent:
            text = f"{neighbour.address} is {names.get(neighbour.mac, neighbour.mac)}"
            link = neighbour.link
            yield Statement(place, Kind.NEIGHBOUR, link, text, link=link)


def _tables(place: str, state: NetState) -> Iterator[Statement]:
    """Rules that every namespace has lead to local, main and default."""
    users = {(MAIN, family): [MAIN_VIEW] for family in Family}
    for rule in state.rules:
        if rule.table in (LOCAL, MAIN, TableID(253)):
            continue
        view = _view(rule)
        users.setdefault((rule.table, rule.family), []).append(view)
        yield Statement(place, Kind.NUMBER, view, f"priority {rule.priority} table {rule.table}")
    for leg in (leg for route in state.routes for leg in legs(route)):
        if leg.destination == "fe80::/64" or leg.table == LOCAL:
            continue
        for view in users.get((leg.table, leg.family), [f"nobody, table {leg.table}"]):
            yield _route(place, view, leg)


def view_family(view: str) -> Family:
    """The family of a rule's view."""
    return Family.V6 if ":" in view or view.endswith(_OF_IPV6) else Family.V4


def _view(rule: Rule) -> str:
    """A rule is of one family, though a table is shared by both."""
    if rule.source:
        return f"from {rule.source.partition('/')[0]}"
    words = "all" if rule.mark is None else f"mark {rule.mark:#x}"
    return words + (_OF_IPV6 if rule.family is Family.V6 else "")


def _route(place: str, view: str, route: Route) -> Statement:
    plain = _as_dumped(replace(route, table=MAIN, protocol=Protocol.BOOT, on_link=False))
    text = as_route_line(plain)
    return Statement(place, Kind.ROUTE, view, text, plain, link=route.link or "")


def _as_dumped(route: Route) -> Route:
    """IPv6 has no scope, and a metric always."""
    if route.family is Family.V4:
        return route
    return replace(route, scope=Scope.GLOBAL, metric=route.metric or 1024)
