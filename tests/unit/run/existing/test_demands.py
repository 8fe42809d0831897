"""A cluster that lacks what a scenario needs is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.run.existing.demands import impossible_steps, lacking
from harness.scenario.load import load
from harness.topology.load import load as load_topology
from spiderpool.netlink.objects import Link, LinkKind, NetState
from spiderpool.testing.builders import address
from spiderpool.types.names import IfName

SCENARIOS = Path(__file__).parents[4] / "scenarios"
ONE_NODE = load_topology(SCENARIOS / "_topologies/one-node.yaml")


def machine(*nics: tuple[str, str]) -> NetState:
    return NetState(
        links=tuple(
            Link(IfName(name), index, LinkKind.VETH, "02:00:00:00:00:01", up=True)
            for index, (name, _) in enumerate(nics, 2)
        ),
        addresses=tuple(address(name, text) for name, text in nics),
    )


STATES = {
    "worker01": machine(("ens192", "10.6.212.132/16"), ("eno1", "192.0.2.1/24")),
    "router": machine(("lan6", "10.6.0.1/16"), ("lan7", "10.7.0.1/16")),
    "outside": machine(("eth0", "10.7.212.101/16")),
    "client": machine(("eth0", "10.6.212.250/16")),
    "another": machine(),
}


def test_a_cluster_that_has_more_will_do() -> None:
    assert list(lacking(ONE_NODE, STATES, ["worker01"])) == []


def test_each_node_is_in_both() -> None:
    assert list(lacking(ONE_NODE, STATES, ["worker02"])) == [
        "the API has no node worker01",
        "the API has a node worker02, which the topology has not",
    ]


@pytest.mark.parametrize(
    ("worker", "words"),
    [
        (machine(), "worker01 has no NIC ens192"),
        (
            machine(("ens192", "10.6.212.133/16")),
            "worker01.ens192 has no address 10.6.212.132/16",
        ),
        (
            machine(("ens192", "10.6.212.132/24")),
            "worker01.ens192 has no address 10.6.212.132/16",
        ),
    ],
)
def test_each_nic_and_address_is_there(worker: NetState, words: str) -> None:
    assert list(lacking(ONE_NODE, STATES | {"worker01": worker}, ["worker01"])) == [words]


def test_each_machine_is_there() -> None:
    states = {name: state for name, state in STATES.items() if name != "router"}
    assert list(lacking(ONE_NODE, states, ["worker01"])) == ["the inventory has no router"]


def test_the_page_changes_nothing_but_its_own_objects() -> None:
    assert list(impossible_steps(load(SCENARIOS / "quickstart"))) == []


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{ip: route del default, on: worker01}", "`ip route del default on worker01`"),
        ("{redirect: 80, to: 81, on: worker01}", "`redirect TCP port 80 to 81 on worker01`"),
        (
            "{advertise: 'fd00::/64', on: worker01.ens192}",
            "`advertise fd00::/64 by worker01.ens192`",
        ),
        ("{expect: [{id: b, check: worker01.ens192}]}", "`check worker01.ens192`"),
        ("{kill: agent, on: worker01}", "`kill agent on worker01`"),
        ("{start: controller}", "`start controller`"),
        ("{spiderpoolctl: gc --now}", "`spiderpoolctl gc --now`"),
        ("{delete: pods.yaml, force: true}", "`delete pods.yaml`"),
    ],
)
def test_what_cannot_be_undone_is_not_done(tmp_path: Path, step: str, words: str) -> None:
    (tmp_path / "pods.yaml").touch()
    expect = '{id: a, on: worker01, ip rule: "0: from all lookup local"}'
    (tmp_path / "scenario.yaml").write_text(
        f"scenario: s\nsummary: s\ntopology: one-node\nsteps:\n  - {step}\n  - expect: [{expect}]\n"
    )
    (problem,) = impossible_steps(load(tmp_path))
    assert problem == f"{tmp_path}/scenario.yaml:5: {words} is for the emulated cluster only"
