"""Whether a namespace holds the lines and NICs that are expected of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from harness.expect.objects import Fill, filled
from harness.expect.verdict import Finding
from harness.scenario.expectations import NetworkHas, Table
from spiderpool.netlink.lines import as_neighbour_line, as_route_line, as_rule_line
from spiderpool.netlink.objects import Link, NetState, Scope
from spiderpool.types.address import Family

_FAMILY = {4: Family.V4, 6: Family.V6}
_ANY = "*"
_OPTIONAL = {
    (Table.ROUTES, 4): (r" proto \S+",),
    (Table.ROUTES, 6): (r" proto \S+", r" metric 1024\b"),
    (Table.NEIGHBOURS, 4): (r" (PERMANENT|REACHABLE)$",),
    (Table.NEIGHBOURS, 6): (r" (PERMANENT|REACHABLE)$",),
}
"""What a printed line may have without the expected line saying so: who made a route, the
metric that every IPv6 route has, and how fresh a neighbour is."""


def printed_lines(state: NetState, table: Table, number: int, family: int) -> tuple[str, ...]:
    """The lines of one table of one family, blanks made single."""
    af = _FAMILY[family]
    if table is Table.RULES:
        rules = sorted((r for r in state.rules if r.family is af), key=lambda r: r.priority)
        lines = [as_rule_line(rule) for rule in rules]
    elif table is Table.ROUTES:
        routes = [r for r in state.routes if r.family is af and r.table == number]
        lines = [as_route_line(route) for route in routes]
    else:
        lines = [as_neighbour_line(entry) for entry in state.neighbours if entry.family is af]
    return tuple(_single_blanks(line) for line in lines)


def judge_network(expectation: NetworkHas, state: NetState, fill: Fill) -> Finding | None:
    """The first expected line that is not there, or forbidden line that is."""
    seen = printed_lines(state, expectation.table, expectation.number, expectation.family)
    expected = tuple(_single_blanks(fill(line)) for line in expectation.lines)
    without = tuple(_single_blanks(fill(line)) for line in expectation.without)
    title = _title(expectation)
    optional = _OPTIONAL.get((expectation.table, expectation.family), ())
    for problem in _line_problems(expected, without, expectation.only, seen, optional):
        return Finding(f"{title} of {expectation.place} {problem}", expected, seen)
    return None


def _title(expectation: NetworkHas) -> str:
    dash_six = " -6" if expectation.family == 6 else ""
    name = expectation.table.value.replace("ip", f"ip{dash_six}", 1)
    if expectation.table is Table.ROUTES and expectation.number != 254:
        return f"`{name} show table {expectation.number}`"
    return f"`{name}`"


def _line_problems(
    expected: Sequence[str],
    without: Sequence[str],
    only: bool,
    seen: Sequence[str],
    optional: Sequence[str],
) -> Iterator[str]:
    for line in expected:
        if not any(_same(line, other, optional) for other in seen):
            yield f"lacks `{line}`{_instead(line, seen)}"
    for line in without:
        if any(_same(line, other, optional) for other in seen):
            yield f"has `{line}`, which must not be there"
    for other in seen if only else ():
        if not any(_same(line, other, optional) for line in expected):
            yield f"has `{other}`, and should hold nothing but what is expected"


def _same(expected: str, seen: str, optional: Sequence[str]) -> bool:
    if _fits(expected, seen):
        return True
    for pattern in optional:
        if not re.search(pattern, expected):
            seen = re.sub(pattern, "", seen)
    return _fits(expected, seen)


def _fits(expected: str, seen: str) -> bool:
    """Word by word; ``*`` stands for any one word."""
    wanted, found = expected.split(" "), seen.split(" ")
    if len(wanted) != len(found):
        return False
    return all(one in (_ANY, other) for one, other in zip(wanted, found, strict=True))


def _instead(line: str, seen: Sequence[str]) -> str:
    """A line about the same thing: the destination, the rule's number, the neighbour."""
    subject = line.split(" ", maxsplit=1)[0]
    same = [other for other in seen if other.split(" ")[0] == subject]
    return f" and has `{same[0]}`" if same else ""


def _single_blanks(line: str) -> str:
    return " ".join(line.split())


def judge_nics(
    nics: Mapping[str, Mapping[str, Any]], place: str, state: NetState, fill: Fill
) -> Finding | None:
    """The first NIC or attribute that differs. ``addresses`` are all but link-local ones."""
    for name, attributes in nics.items():
        link = state.link(name)
        if attributes.get("absent"):
            if link is not None:
                return Finding(f"{place} has a NIC {name}, which must not be there")
            continue
        if link is None:
            there = ", ".join(link.name for link in state.links) or "none"
            return Finding(f"{place} has no NIC {name}; it has {there}")
        for attribute, value in attributes.items():
            wanted, found = filled(value, fill), _ATTRIBUTES[attribute](link, state)
            if attribute == "addresses":
                wanted = sorted(wanted if isinstance(wanted, list) else [wanted])
            if wanted != found:
                problem = f"{attribute} of {place}.{name} is {found!r}, not {wanted!r}"
                return Finding(problem, (f"{wanted!r}",), (f"{found!r}",))
    return None


_ATTRIBUTES: Mapping[str, Callable[[Link, NetState], Any]] = {
    "kind": lambda link, _: str(link.kind) if link.kind else "device",
    "mtu": lambda link, _: link.mtu,
    "mac": lambda link, _: link.mac,
    "txqueuelen": lambda link, _: link.txqueuelen,
    "up": lambda link, _: link.up,
    "active": lambda link, _: link.active,
    "addresses": lambda link, state: sorted(
        entry.address for entry in state.addresses_of(link.name) if entry.scope is not Scope.LINK
    ),
}
