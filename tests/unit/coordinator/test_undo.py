"""Taking back what was done leads to the very state that was there."""

import pytest
from coordinator_world import DUAL, PAGE, World, comparable

from spiderpool.coordinator.config import Config
from spiderpool.coordinator.undo import undo
from spiderpool.netlink.apply import apply
from spiderpool.netlink.operations import Operation


def worlds() -> dict[str, tuple[World, str, Config]]:
    return {
        "overlay": (World().calico().macvlan("net1", 145), "net1", PAGE),
        "overlay, dual": (World(ipv6=True).calico().macvlan("net1", 145), "net1", DUAL),
        "underlay, dual": (World(ipv6=True).macvlan("eth0", 145), "eth0", DUAL),
    }


def undone(world: World, nic: str, config: Config, count: int) -> None:
    """Carry out the first ``count`` operations of the plan, then take them back."""
    made = world.plan(nic, config)
    pod, node = world.pod.state, world.node.state
    first: list[Operation] = list(made.pod[:count])
    second = list(made.node[: max(0, count - len(made.pod))])
    apply(world.pod, first)
    apply(world.node, second)
    apply(world.node, undo(second, node))
    apply(world.pod, undo(first, pod))


@pytest.mark.parametrize("name", worlds())
def test_any_beginning_of_a_plan_can_be_taken_back(name: str) -> None:
    world, nic, config = worlds()[name]
    before = comparable(world.pod.state), comparable(world.node.state)
    made = world.plan(nic, config)
    for count in range(len(made.pod) + len(made.node) + 1):
        undone(world, nic, config, count)
        assert (comparable(world.pod.state), comparable(world.node.state)) == before, count
