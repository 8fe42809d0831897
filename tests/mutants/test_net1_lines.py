"""Every rule and route that the coordinator adds is needed, and the scenario shows it.

The quick start is brought up once. Then, one line at a time, a rule or route is taken away
and the scenario's probes are asked again: for each line some probe must fail, or the line is
listed here, and in docs/differences.md, as one whose absence no packet shows, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from live_scenario import LiveScenario, live

from harness.expect.names import Names
from harness.netns import isolated
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_route_line, as_rule_line
from spiderpool.netlink.objects import NetState, Protocol, Route, Rule
from spiderpool.netlink.operations import (
    AddRoute,
    AddRule,
    DeleteRoute,
    DeleteRule,
)
from spiderpool.types.address import Family
from spiderpool.types.names import MAIN, TableID

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("kubectl"),
    pytest.mark.xdist_group("net1-lines"),
]

PODS = ("web", "bynet1")
"""The default route by eth0, and by net1: a line may matter to one of them only."""

NEEDED = (
    "32760: from {net1} lookup 100",
    "32761: from {eth0} lookup 99",
    "default via 10.6.0.1 dev net1 table 100",
    "10.6.0.0/16 dev net1 table 100 scope link src {net1}",
    "{node} dev eth0 table 100 scope link",
    "10.233.0.0/18 via {node} dev eth0 table 100",
    "10.233.64.0/18 via {node} dev eth0 table 100",
    "169.254.0.0/16 via {node} dev eth0 table 100",
    "default via 169.254.1.1 dev eth0 table 99",
    "default via 10.6.0.1 dev net1",
    "{node} dev eth0 scope link",
    "10.233.0.0/18 via {node} dev eth0",
    "10.233.64.0/18 via {node} dev eth0",
    "1000: from all lookup 500",
    "{net1} dev {veth} table 500 scope link",
)

SAME_WAY = "the table's default leads over the same wire to the same node"
REDUNDANT = {
    "{node} dev eth0 table 99 scope link": SAME_WAY,
    "10.233.0.0/18 via {node} dev eth0 table 99": SAME_WAY,
    "10.233.64.0/18 via {node} dev eth0 table 99": SAME_WAY,
    "169.254.0.0/16 via {node} dev eth0 table 99": SAME_WAY,
    "169.254.1.1 dev eth0 table 99 scope link": "the default's gateway is known to be on eth0",
    "169.254.0.0/16 via {node} dev eth0": "without it only the source changes, which none sees",
}
"""Lines whose absence changes no way; each NIC's table is whole all the same."""


@dataclass(frozen=True)
class Mutation:
    """A line taken away; ``failing`` are the probes that showed it."""

    line: str
    failing: tuple[str, ...]


async def without(bench: LiveScenario, place: str, line: Rule | Route) -> Mutation:
    """Take a line away, ask, and put it back."""
    namespace = bench.session.namespaces[place]
    apply(namespace, [DeleteRule(line) if isinstance(line, Rule) else DeleteRoute(line)])
    try:
        failing = await bench.failing()
    finally:
        apply(namespace, [AddRule(line) if isinstance(line, Rule) else AddRoute(line)])
    return Mutation(_text(line), failing)


def _text(line: Rule | Route) -> str:
    if isinstance(line, Rule):
        return as_rule_line(line)
    return as_route_line(line, with_table=True)


def lines_in_pod(state: NetState) -> Iterator[Rule | Route]:
    """What neither the kernel, nor Calico, nor macvlan made."""
    yield from (
        rule for rule in state.rules if rule.family is Family.V4 and 0 < rule.priority < 32766
    )
    for route in state.routes:
        made_by_calico = route.table == MAIN and "169.254.1.1" in (
            route.gateway,
            route.destination.partition("/")[0],
        )
        made_by_kernel = route.protocol == Protocol.KERNEL and route.table == MAIN
        if route.family is Family.V4 and not (made_by_calico or made_by_kernel):
            yield route


def lines_on_node(state: NetState, net1: str) -> Iterator[Rule | Route]:
    """The rule that all pods share, and one pod's own route."""
    yield from (rule for rule in state.rules if rule.priority == 1000)
    yield from (
        route
        for route in state.routes
        if route.table == TableID(500) and route.destination == f"{net1}/32"
    )


async def mutations() -> list[Mutation]:
    """All of them; with every line in place, no probe fails before and after."""
    async with live("quickstart") as bench:
        assert await bench.failing(all_of_them=True) == ()
        done = [await without(bench, place, line) for place, line in _all_lines(bench)]
        assert await bench.failing(all_of_them=True) == ()
        return [replace(one, line=_general(one, bench.names)) for one in done]


def _all_lines(bench: LiveScenario) -> Iterator[tuple[str, Rule | Route]]:
    for name in PODS:
        pod = bench.names.pods[name]
        net1 = _address(bench.names, name, "net1")
        namespaces = bench.session.namespaces
        for line in lines_in_pod(dump(namespaces[pod.place])):
            yield pod.place, line
        for line in lines_on_node(dump(namespaces[pod.node]), net1):
            yield pod.node, line


def _general(mutation: Mutation, names: Names) -> str:
    """The line with this run's values named, so that it is the same in every run."""
    words = {"10.6.212.132": "{node}"}
    for name in PODS:
        for nic in ("net1", "eth0"):
            words[_address(names, name, nic)] = f"{{{nic}}}"
    return " ".join(
        "{veth}" if word.startswith("cali") else words.get(word, word)
        for word in mutation.line.split()
    )


def _address(names: Names, pod: str, nic: str) -> str:
    return names.nics[names.pods[pod].place][nic].addresses[0].partition("/")[0]


@pytest.fixture(scope="module")
def found() -> dict[str, set[str]]:
    """For each line the probes that failed without it, in any of the pods."""
    failing: dict[str, set[str]] = {}
    for one in isolated.call(lambda: asyncio.run(mutations())):
        failing.setdefault(one.line, set()).update(one.failing)
    return failing


def test_every_line_is_known(found: dict[str, set[str]]) -> None:
    assert set(found) == {*NEEDED, *REDUNDANT}


@pytest.mark.parametrize("line", NEEDED)
def test_some_probe_fails_without(line: str, found: dict[str, set[str]]) -> None:
    assert found[line]


@pytest.mark.parametrize("line", REDUNDANT)
def test_no_probe_fails_without(line: str, found: dict[str, set[str]]) -> None:
    """Else it is needed, and belongs to the others."""
    assert not found[line]
