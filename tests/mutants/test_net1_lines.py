"""Every rule and route that the coordinator adds is needed, and the scenario shows it.

The quick start is brought up once. Then, one line at a time, a rule or route is taken away
and the scenario's probes are asked again: for each line some probe must fail, or the line is
listed here, and in docs/differences.md, as one whose absence no packet shows, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.expect.judge import judge
from harness.expect.names import Names
from harness.expect.resolve import resolve
from harness.netns import isolated, sandbox
from harness.run.session import Session
from harness.run.steps import carry_out
from harness.scenario.expectations import Reaches
from harness.scenario.load import load
from harness.scenario.model import Expect, Scenario
from harness.topology.load import load as load_topology
from harness.trace.observe import observe
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

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PATIENCE_SECONDS = 0.25
"""With every line in place the answers come within milliseconds."""

PODS = ("web", "bynet1")
"""The default route by eth0, and by net1: a line may matter to one of them only."""

NEEDED = """
32760: from {net1} lookup 100
32761: from {eth0} lookup 99
default via 10.6.0.1 dev net1 table 100
10.6.0.0/16 dev net1 table 100 scope link src {net1}
{node} dev eth0 table 100 scope link
10.233.0.0/18 via {node} dev eth0 table 100
10.233.64.0/18 via {node} dev eth0 table 100
default via 169.254.1.1 dev eth0 table 99
{node} dev eth0 scope link
10.233.0.0/18 via {node} dev eth0
10.233.64.0/18 via {node} dev eth0
1000: from all lookup 500
{net1} dev {veth} table 500 scope link
""".strip().splitlines()

UNSEEN = {
    "169.254.0.0/16 via {node} dev eth0 table 100": "hijacked, and nobody there answers",
    "169.254.0.0/16 via {node} dev eth0": "hijacked, and nobody there answers",
    "169.254.0.0/16 via {node} dev eth0 table 99": "the table's default leads there, too",
    "{node} dev eth0 table 99 scope link": "the table's default leads there, too",
    "10.233.0.0/18 via {node} dev eth0 table 99": "the table's default leads there, too",
    "10.233.64.0/18 via {node} dev eth0 table 99": "the table's default leads there, too",
    "169.254.1.1 dev eth0 table 99 scope link": "the gateway was resolved when it was added",
}
"""Lines whose absence no packet shows, and why they are there all the same."""


@dataclass(frozen=True)
class Mutation:
    """A line taken away from a place; ``failing`` are the probes that showed it."""

    place: str
    line: str
    failing: tuple[str, ...]


class Bench:
    """The quick start, brought up; changes one line at a time."""

    def __init__(self, scenario: Scenario, session: Session, names: Names) -> None:
        self.session, self.names = session, names
        self.probes = [each for each in scenario.expectations() if isinstance(each, Reaches)]

    async def failing(self, *, all_of_them: bool = False) -> tuple[str, ...]:
        """The first probe that fails now, or all."""
        found = []
        wires = self.session.wires()
        for expectation in self.probes:
            sending = resolve(expectation.probe, self.names)
            seen = await observe(
                sending, self.session.namespaces, self.session.capture, wires, PATIENCE_SECONDS
            )
            if not judge(expectation, seen, self.names).ok:
                found.append(expectation.id)
                if not all_of_them:
                    break
        return tuple(found)

    async def without(self, place: str, line: Rule | Route) -> Mutation:
        """Take a line away, ask, and put it back."""
        namespace = self.session.namespaces[place]
        is_rule = isinstance(line, Rule)
        apply(namespace, [DeleteRule(line) if isinstance(line, Rule) else DeleteRoute(line)])
        try:
            failing = await self.failing()
        finally:
            apply(namespace, [AddRule(line) if isinstance(line, Rule) else AddRoute(line)])
        text = as_rule_line(line) if is_rule else as_route_line(line, with_table=True)
        return Mutation(place, " ".join(text.split()), failing)


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
        moved = route.table == MAIN and route.is_default
        if route.family is Family.V4 and not (made_by_calico or made_by_kernel or moved):
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
    scenario = load(SCENARIOS / "quickstart")
    topology = load_topology(SCENARIOS / "_topologies" / f"{scenario.topology}.yaml")
    session = Session(topology, scenario.names, sandbox.RUN)
    try:
        await session.start()
        for step in scenario.steps:
            if not isinstance(step, Expect):
                await carry_out(step, session)
        bench = Bench(scenario, session, await session.names())
        assert await bench.failing(all_of_them=True) == ()
        done = [await bench.without(place, line) for place, line in _all_lines(bench)]
        assert await bench.failing(all_of_them=True) == ()
        return [Mutation(one.place, _general(one, bench.names), one.failing) for one in done]
    finally:
        await session.stop()


def _all_lines(bench: Bench) -> Iterator[tuple[str, Rule | Route]]:
    for name in PODS:
        pod = bench.names.pods[name]
        net1 = bench.names.nics[pod.place]["net1"].addresses[0].partition("/")[0]
        namespaces = bench.session.namespaces
        for line in lines_in_pod(dump(namespaces[pod.place])):
            yield pod.place, line
        for line in lines_on_node(dump(namespaces[pod.node]), net1):
            yield pod.node, line


def _general(mutation: Mutation, names: Names) -> str:
    """The line with the pod's values named, so that it is the same in every run."""
    text = mutation.line
    for name in PODS:
        nics = names.nics[names.pods[name].place]
        for nic in ("net1", "eth0"):
            address = nics[nic].addresses[0].partition("/")[0]
            text = text.replace(address, f"{{{nic}}}")
        text = text.replace("10.6.212.132", "{node}")
    return text


@pytest.fixture(scope="module")
def seen() -> Sequence[Mutation]:
    return isolated.call(lambda: asyncio.run(mutations()))


def test_dump(seen) -> None:
    for m in seen: print(m)
    assert 0
