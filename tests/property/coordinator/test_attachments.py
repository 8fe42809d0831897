"""For random pods: ADD twice is ADD once, DEL takes back ADD, a failed ADD leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import pytest
from coordinator_world import (
    CONTAINER,
    DUAL,
    NODE_ADDRESS,
    NODE_ADDRESS_6,
    NODE_FD,
    World,
    comparable,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spiderpool.agent.coordinator_kernel import Call, carry_out, detach, read_facts
from spiderpool.coordinator.config import Config, PolicyRoute
from spiderpool.coordinator.footprint import Footprint, footprint
from spiderpool.coordinator.plan import plan
from spiderpool.errors import OperationFailed
from spiderpool.netlink.apply import apply
from spiderpool.netlink.operations import DeleteLink
from spiderpool.testing.netlink import FRESH, Faulting
from spiderpool.testing.pairs import PairedKernel
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import MAIN, IfName, TableID

NAMES = ("net1", "net2", "net3", "eth1", "storage0")


@dataclass(frozen=True)
class Nic:
    """One NIC to attach; the coordinator is not chained into a foreign one."""

    name: str
    number: int
    network: int
    families: str
    foreign: bool


@dataclass(frozen=True)
class Pod:
    """A pod to be: eth0 is Calico's, or the first macvlan NIC."""

    ipv6: bool
    calico: bool
    nics: tuple[Nic, ...]
    config: Config


def configs(names: Sequence[str]) -> st.SearchStrategy[Config]:
    optional = st.sampled_from((None, *names))
    return st.builds(
        lambda chosen, hijack, tune, mac, queue, filters, table, link, policy: replace(
            DUAL,
            default_route_nic=None if chosen is None else IfName(chosen),
            hijack_cidr=tuple(map(Prefix, hijack)),
            tune_pod_routes=tune,
            mac_prefix=mac,
            tx_queue_len=queue,
            pod_rp_filter=filters[0],
            host_rp_filter=filters[1],
            host_rule_table=TableID(table),
            veth_link_address=None if link is None else Address(link),
            policy_routes=policy,
        ),
        optional,
        st.sampled_from(((), ("169.254.0.0/16",), ("169.254.0.0/16", "fd99::/64"))),
        st.booleans() | st.just(True),
        st.sampled_from(("", "0a:1b")),
        st.sampled_from((0, 2000)),
        st.tuples(st.sampled_from((None, 0, 2)), st.sampled_from((None, 0, 2))),
        st.sampled_from((500, 600)),
        st.sampled_from((None, "169.254.100.1", "fe99::1")),
        st.sampled_from(((), (PolicyRoute(Prefix("172.16.0.0/12"), Address("10.6.0.9")),))),
    )


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    ipv6, calico = draw(st.booleans()), draw(st.booleans())
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3, min_size=int(calico), unique=True))
    nics = [
        Nic(
            name,
            140 + place,
            draw(st.sampled_from((6, 6, 7))),
            draw(st.sampled_from(("4", "6", "46"))) if ipv6 else "4",
            draw(st.booleans()) and place > 0,
        )
        for place, name in enumerate(names, 1)
    ]
    if not calico:
        nics.insert(0, Nic("eth0", 140, 6, "46", foreign=False))
    everyone = ["eth0", *names]
    return Pod(ipv6, calico, tuple(nics), draw(configs(everyone)))


def call_for(nic: Nic, config: Config) -> Call:
    """Policy routes are for the network that has their gateway."""
    fits = nic.network == 6 and "4" in nic.families
    own = config if fits else replace(config, policy_routes=())
    addresses = (NODE_ADDRESS, NODE_ADDRESS_6)
    return Call(IfName(nic.name), CONTAINER, own, addresses, None, NODE_FD)


def both(world: World) -> tuple[object, object]:
    return comparable(world.pod.state), comparable(world.node.state)


def unordered(world: World) -> tuple[object, object]:
    """Without the order of IPv4 defaults, which a DEL cannot know."""
    pod, node = both(world)
    return pod[:3] + pod[4:], node[:3] + node[4:]  # type: ignore[index]


def start(pod: Pod) -> World:
    world = World(ipv6=pod.ipv6)
    return world.calico() if pod.calico else world


def attach(world: World, nic: Nic, config: Config) -> Footprint:
    call = call_for(nic, config)
    facts = read_facts(call, world.pod, world.node)
    made = plan(facts)
    left = footprint(facts, made, "macvlan")
    carry_out(made, facts, world.pod, world.node)
    return left


FAST = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@FAST
@given(pods())
def test_add_twice_is_add_once_and_del_takes_it_back(pod: Pod) -> None:
    world, history = start(pod), []
    for nic in pod.nics:
        world.macvlan(nic.name, nic.number, nic.network, nic.families)
        history.append(
            (nic, unordered(world), None if nic.foreign else attach(world, nic, pod.config))
        )
        if not nic.foreign:
            again = plan(read_facts(call_for(nic, pod.config), world.pod, world.node))
            assert again.is_empty, again
    for nic, before, left in reversed(history):
        if left is not None:
            assert detach(call_for(nic, pod.config), left, world.pod, world.node) == []
            assert unordered(world) == before, nic
            assert detach(call_for(nic, pod.config), left, world.pod, world.node) == []
            assert unordered(world) == before, nic
        apply(world.pod, [DeleteLink(IfName(nic.name))])


@FAST
@given(pods())
def test_a_fault_at_any_operation_leaves_nothing_behind(pod: Pod) -> None:
    world = start(pod)
    for nic in pod.nics:
        world.macvlan(nic.name, nic.number, nic.network, nic.families)
        if nic.foreign:
            continue
        before = both(world)
        made = plan(read_facts(call_for(nic, pod.config), world.pod, world.node))
        for place in range(len(made.pod)):
            fail(Faulting(world.pod, place), world.node, world, nic, pod.config)
            assert both(world) == before, made.pod[place]
        for place in range(len(made.node)):
            fail(world.pod, Faulting(world.node, place), world, nic, pod.config)
            assert both(world) == before, made.node[place]
        attach(world, nic, pod.config)


def fail(
    inside: PairedKernel | Faulting,
    node: PairedKernel | Faulting,
    world: World,
    nic: Nic,
    config: Config,
) -> None:
    facts = read_facts(call_for(nic, config), world.pod, world.node)
    with pytest.raises(OperationFailed):
        carry_out(plan(facts), facts, inside, node)


@FAST
@given(pods(), st.randoms(use_true_random=False))
def test_dels_in_any_order_leave_nothing(pod: Pod, random: Random) -> None:
    world, left = start(pod), []
    config = replace(pod.config, host_rp_filter=None)
    before = comparable(world.node.state)
    for nic in pod.nics:
        world.macvlan(nic.name, nic.number, nic.network, nic.families)
        if not nic.foreign:
            left.append((nic, attach(world, nic, config)))
    random.shuffle(left)
    for nic, known in left:
        assert detach(call_for(nic, config), known, world.pod, world.node) == []
    assert comparable(world.node.state) == before
    assert set(world.pod.state.rules) == set(FRESH.rules)
    assert {route.table for route in world.pod.state.routes} <= {MAIN}
    assert world.pod.state.neighbours == ()
    assert world.pod.state.reply_marks == ()


@FAST
@given(pods())
def test_without_the_pods_namespace_the_node_is_clean_too(pod: Pod) -> None:
    world, left = start(pod), []
    before = comparable(world.node.state)
    for nic in pod.nics:
        world.macvlan(nic.name, nic.number, nic.network, nic.families)
        if not nic.foreign:
            left.append((nic, attach(world, nic, replace(pod.config, host_rp_filter=None))))
    for nic, known in left:
        detach(call_for(nic, pod.config), known, None, world.node)
    assert comparable(world.node.state) == before
