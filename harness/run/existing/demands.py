"""Whether a cluster that is there can be the one that a scenario speaks of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.scenario.expectations import Checked
from harness.scenario.model import Expect, Given, Install, Manifests, Scale, Scenario, Wait
from harness.topology.model import Machine, Topology
from spiderpool.netlink.objects import NetState

_HARMLESS = (Install, Given, Manifests, Scale, Wait, Expect)
"""Steps that change nothing but objects of the run's own, which it can delete."""


def impossible_steps(scenario: Scenario) -> Iterator[str]:
    """What the scenario does that is not done to a cluster that others use, a line each."""
    for step in scenario.steps:
        if isinstance(step, Expect):
            checked = (each for each in step.expectations if isinstance(each, Checked))
            yield from (
                f"{e.where}: `check {e.nic}` is for the emulated cluster only" for e in checked
            )
        forced = isinstance(step, Manifests) and step.force
        if forced or not isinstance(step, _HARMLESS):
            yield f"{step.where}: `{step}` is for the emulated cluster only"


def lacking(
    topology: Topology, states: Mapping[str, NetState], api_nodes: Iterable[str]
) -> Iterator[str]:
    """What the topology says and the cluster does not have, a line each.

    ``states`` are links and addresses by place; ``api_nodes`` are the nodes that the API has.
    """
    wanted = {machine.name for machine in topology.nodes}
    found = set(api_nodes)
    for name in sorted(wanted - found):
        yield f"the API has no node {name}"
    for name in sorted(found - wanted):
        yield f"the API has a node {name}, which the topology has not"
    for machine in topology.machines:
        state = states.get(machine.name)
        if state is None:
            yield f"the inventory has no {machine.name}"
        else:
            yield from _lacking_in(machine, state)


def _lacking_in(machine: Machine, state: NetState) -> Iterator[str]:
    for nic in machine.nics:
        if state.link(nic.name) is None:
            yield f"{machine.name} has no NIC {nic.name}"
            continue
        there = {entry.address for entry in state.addresses_of(nic.name)}
        for address in nic.addresses:
            if address not in there:
                yield f"{machine.name}.{nic.name} has no address {address}"
