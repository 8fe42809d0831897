"""The acceptance page by packets, and what annotations ask of IPAM: scenarios on this cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_node import items, run, until

from harness.run.events import Ended, Event, Judged, Result, Started
from harness.run.launch import run as run_scenario
from harness.run.target import Existing
from harness.scenario.load import load

SCENARIOS = Path(__file__).parents[3] / "scenarios"
OF_ONE_NODE = (
    "one-node",  # the page
    *(f"ipam/{name}" for name in ("bad-annotations", "pool-rules", "precedence", "routes")),
)
KINDS = (
    "deployments,replicasets,pods,services,endpointslices,configmaps,spidercoordinators,"
    "spiderippools,spidermultusconfigs,network-attachment-definitions,spiderendpoints"
)


def events_of(scenario: Path, inventory: Path) -> list[Event]:
    return list(run_scenario(scenario, target=Existing(inventory)))


def objects() -> list[str]:
    """All of these kinds, by UID."""
    return sorted(
        f"{each['kind']}/{each['metadata']['name']} {each['metadata']['uid']}"
        for each in items(KINDS, "-A")
    )


def network() -> list[str]:
    """What pods add to a node: links, rules, and routes of all tables."""
    links = run("ip", "-brief", "link").splitlines()
    names = [line.split()[0] for line in links]
    return [
        *names,
        *run("ip", "rule").splitlines(),
        *run("ip", "route", "show", "table", "all").splitlines(),
    ]


@pytest.mark.parametrize("name", OF_ONE_NODE)
def test_every_expectation_holds_and_nothing_is_left(inventory: Path, name: str) -> None:
    scenario = SCENARIOS / name
    before, objects_before = network(), objects()
    *events, ended = events_of(scenario, inventory)
    assert isinstance(ended, Ended)
    assert (ended.problem, ended.cannot) == ("", "")
    judged = [event for event in events if isinstance(event, Judged)]
    assert [event for event in judged if event.result is not Result.PASSED] == []
    assert [event.id for event in judged] == [each.id for each in load(scenario).expectations()]
    assert objects() == objects_before
    until(lambda: network() == before)


def test_the_page_of_two_nodes_is_refused(inventory: Path) -> None:
    started, ended = events_of(SCENARIOS / "quickstart", inventory)
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert ended.cannot.endswith("the API has no node controller; the inventory has no controller")
