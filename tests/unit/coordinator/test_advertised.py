"""Router advertisements on the underlay change neither addresses nor routes of a NIC."""

from __future__ import annotations

from dataclasses import replace

import pytest
from coordinator_world import DUAL, World

from spiderpool.agent.coordinator_kernel import carry_out
from spiderpool.coordinator.check import differences
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.plan import plan
from spiderpool.coordinator.undo import undo
from spiderpool.netlink.objects import LinkAddress, Protocol, Route
from spiderpool.netlink.operations import AddAddress, AddRoute, ChangeLink, SetSysctl
from spiderpool.types.address import Address, Family, InterfaceAddress, Prefix
from spiderpool.types.names import IfName

NET1 = IfName("net1")
KEY = "ipv6/conf/net1/accept_ra"
SLAAC = LinkAddress(NET1, InterfaceAddress("fd00:99::281e:a1ff:fedb:2a91/64"), learned=True)
SHARED = LinkAddress(NET1, InterfaceAddress("fd00:10:6::281e:a1ff:fedb:2a91/64"), learned=True)
DEFAULT = Route(Prefix("::/0"), NET1, Address("fe80::1"), metric=1024, protocol=int(Protocol.RA))
NETWORK = Route(Prefix("fd00:99::/64"), NET1, metric=256, protocol=int(Protocol.KERNEL))


def with_setting(world: World, value: str) -> World:
    sysctls = {**world.pod.state.sysctls, KEY: value}
    world.pod.state = replace(world.pod.state, sysctls=sysctls)
    return world


def advertised(world: World) -> World:
    """A router has spoken before the coordinator came."""
    state = world.pod.state
    world.pod.state = replace(
        state,
        addresses=(*state.addresses, SLAAC, SHARED),
        routes=(*state.routes, DEFAULT, NETWORK),
    )
    return world


def fresh(families: str = "46") -> World:
    return with_setting(World(ipv6=True).calico().macvlan("net1", 145, families=families), "1")


@pytest.mark.parametrize("families", ["46", "4"], ids=["dual stack", "IPv4 alone"])
def test_what_was_learned_leaves_no_trace(families: str) -> None:
    without = fresh(families)
    without.attach("net1", DUAL)
    world = advertised(fresh(families))
    world.attach("net1", DUAL)
    assert world.pod.state.addresses == without.pod.state.addresses
    assert set(world.pod.state.routes) == set(without.pod.state.routes)
    assert world.pod.state.rules == without.pod.state.rules
    assert world.node.state == without.node.state
    assert world.plan("net1", DUAL).is_empty


def test_the_nic_stops_listening_before_it_is_up() -> None:
    world = fresh()
    made = plan(world.facts("net1", replace(DUAL, tx_queue_len=500)))
    places = [type(op) for op in made.pod if op == SetSysctl(KEY, "0") or type(op) is ChangeLink]
    assert places == [SetSysctl, ChangeLink]
    assert with_setting(fresh(), "0").plan("net1", DUAL).pod == tuple(
        op for op in fresh().plan("net1", DUAL).pod if op != SetSysctl(KEY, "0")
    )


def test_what_is_learned_between_the_look_and_the_change_goes_too() -> None:
    world = fresh()
    facts = world.facts("net1", DUAL)
    made = plan(facts)
    advertised(world)
    carry_out(made, facts, world.pod, world.node)
    assert not [entry for entry in world.pod.state.addresses if entry.learned]
    assert not [r for r in world.pod.state.routes if r.protocol == Protocol.RA]
    assert world.plan("net1", DUAL).is_empty


def test_who_asks_for_it_has_both_the_given_and_the_learned() -> None:
    """accept_ra 2 is nobody's default."""
    world = with_setting(advertised(fresh("4")), "2")
    world.attach("net1", DUAL)
    assert SLAAC in world.pod.state.addresses
    assert world.pod.state.sysctls[KEY] == "2"
    source = SLAAC.address.partition("/")[0]
    assert f"32760: from {source} lookup 100" in world.rules(Family.V6)
    assert "fd00:99::/64 dev net1 metric 1024" in world.table(100, Family.V6)
    assert any(line.startswith("fd85::1:0/112 via") for line in world.table(100, Family.V6))


@pytest.mark.parametrize("config", [replace(DUAL, tune_pod_routes=False)])
def test_where_nothing_is_tuned_routers_keep_their_say(config: Config) -> None:
    world = advertised(fresh())
    world.attach("net1", config)
    assert world.pod.state.sysctls[KEY] == "1"
    assert DEFAULT in world.pod.state.routes


def test_another_nic_keeps_what_it_has_learned() -> None:
    world = with_setting(World(ipv6=True).calico().macvlan("net1", 145), "1")
    world.macvlan("net2", 145, network=7)
    learned = replace(SLAAC, link=IfName("net2"))
    world.pod.state = replace(world.pod.state, addresses=(*world.pod.state.addresses, learned))
    world.attach("net1", DUAL)
    assert learned in world.pod.state.addresses


def test_check_names_what_has_been_learned_since() -> None:
    world = fresh()
    world.attach("net1", DUAL)
    found = differences(advertised(world).facts("net1", DUAL))
    default = "default via fe80::1 dev net1 proto ra metric 1024"
    assert f"pod: the route must not be there: {default}" in found
    assert f"pod: the address {SLAAC.address} must not be on net1" in found


def test_what_is_taken_back_does_not_last_longer_than_the_router_said() -> None:
    world = advertised(fresh())
    before = world.pod.state
    made = plan(world.facts("net1", DUAL))
    back = undo(made.pod, before)
    assert SetSysctl(KEY, "1") in back
    assert not [op for op in back if isinstance(op, AddAddress)]
    routes = [op.route for op in back if isinstance(op, AddRoute)]
    assert DEFAULT not in routes
    assert NETWORK not in routes
