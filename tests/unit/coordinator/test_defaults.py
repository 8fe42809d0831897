"""Which NIC holds main's default route; everybody else's is in its own table."""

from dataclasses import replace

import pytest
from coordinator_world import DUAL, PAGE, World

from spiderpool.coordinator.config import Config
from spiderpool.coordinator.plan import plan
from spiderpool.errors import BadInput
from spiderpool.types.address import Family
from spiderpool.types.names import MAIN, IfName

BY_ETH0 = "default via 169.254.1.1 dev eth0"


def chosen(nic: str, config: Config = PAGE) -> Config:
    return replace(config, default_route_nic=IfName(nic), default_route_origin="annotation x")


def defaults(world: World, table: int = MAIN, family: Family = Family.V4) -> set[str]:
    return {line for line in world.table(table, family) if line.startswith("default")}


def test_it_stays_where_it_was() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    assert defaults(world) == {BY_ETH0}


def test_moving_it_touches_main_alone() -> None:
    stays = World().calico().macvlan("net1", 145)
    moves = World().calico().macvlan("net1", 145)
    stays.attach("net1")
    moves.attach("net1", chosen("net1"))
    assert defaults(moves) == {"default via 10.6.0.1 dev net1"}
    for table in (99, 100):
        assert moves.table(table) == stays.table(table)
    assert moves.rules() == stays.rules()
    assert moves.table() - defaults(moves) == stays.table() - defaults(stays)


def test_it_moves_to_a_nic_that_comes_later() -> None:
    config = chosen("net2")
    world = World().calico().macvlan("net1", 145)
    facts = world.facts("net1", config, expected=("eth0", "net1", "net2"))
    assert plan(facts).pod
    world.attach("net1", config)
    assert defaults(world) == {BY_ETH0}
    world.macvlan("net2", 145, network=7)
    world.attach("net2", config)
    assert defaults(world) == {"default via 10.7.0.1 dev net2"}
    assert BY_ETH0 in world.table(99)


def test_a_nic_that_never_comes_is_an_error_that_lists_the_others() -> None:
    world = World().calico().macvlan("net1", 145)
    facts = world.facts("net1", chosen("net9"), expected=("eth0", "net1"))
    with pytest.raises(BadInput, match="annotation x: the pod has no NIC net9") as caught:
        plan(facts)
    assert caught.value.remedy == "choose one of eth0, net1"


def test_without_knowing_the_pods_nics_a_missing_one_is_waited_for() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1", chosen("net9"))
    assert defaults(world) == {BY_ETH0}


def test_a_nic_that_was_chosen_before_keeps_it() -> None:
    """Only net1's NAD says podDefaultRouteNic; net2's says nothing."""
    world = World().calico().macvlan("net1", 145)
    world.attach("net1", chosen("net1"))
    world.macvlan("net2", 146)
    world.attach("net2")
    assert defaults(world) == {"default via 10.6.0.1 dev net1"}


def test_it_can_move_to_a_nic_whose_default_is_in_its_table() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    world.macvlan("net2", 146)
    world.attach("net2", chosen("net1"))
    assert defaults(world) == {"default via 10.6.0.1 dev net1"}


def test_in_a_family_that_only_one_nic_has_that_nic_keeps_it() -> None:
    world = World(ipv6=False).calico()
    world.ipv6 = True
    world.macvlan("net1", 145)
    world.attach("net1", DUAL)
    assert defaults(world) == {BY_ETH0}
    assert defaults(world, family=Family.V6) == {"default via fd00:10:6::1 dev net1 metric 1024"}


def test_a_chosen_nic_without_that_family_leaves_it_where_it_is() -> None:
    world = World(ipv6=True).calico().macvlan("net1", 145, families="4")
    world.macvlan("net2", 146)
    world.attach("net1", chosen("net1", DUAL))
    world.attach("net2", chosen("net1", DUAL))
    assert defaults(world) == {"default via 10.6.0.1 dev net1"}
    assert {line.split()[4] for line in defaults(world, family=Family.V6)} == {"eth0"}


def test_ipv6_multipath_is_taken_apart() -> None:
    world = World(ipv6=True).calico().macvlan("net1", 145)
    assert any(route.nexthops for route in world.pod.state.routes)
    world.attach("net1", DUAL)
    assert defaults(world, family=Family.V6) == {
        "default via fe80::ecee:eeff:feee:eeee dev eth0 metric 1024"
    }
    assert defaults(world, 100, Family.V6) == {"default via fd00:10:6::1 dev net1 metric 1024"}


def test_a_nic_of_another_plugin_gets_rule_and_table_too() -> None:
    world = World().calico().macvlan("eth1", 144).macvlan("net1", 145)
    world.attach("net1")
    assert defaults(world) == {BY_ETH0}
    (rule,) = [line for line in world.rules() if "10.6.212.144" in line]
    table = int(rule.split()[-1])
    assert "default via 10.6.0.1 dev eth1" in world.table(table)
    assert "32760: from 10.6.212.145 lookup 100" in world.rules()


def test_a_nic_whose_gateway_was_cleaned_gets_no_default() -> None:
    world = World().calico().macvlan("net1", 145)
    kept = tuple(r for r in world.pod.state.routes if not (r.is_default and r.link == "net1"))
    world.pod.state = replace(world.pod.state, routes=kept)
    world.attach("net1")
    assert defaults(world) == {BY_ETH0}
    assert defaults(world, 100) == set()
    assert "10.6.0.0/16 dev net1 scope link src 10.6.212.145" in world.table(100)


def test_without_tuning_there_are_cluster_routes_and_nothing_else() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1", replace(PAGE, tune_pod_routes=False))
    assert world.rules() == set()
    assert world.table(99) == world.table(100) == set()
    assert "10.233.0.0/18 via 10.6.212.132 dev eth0" in world.table()
    assert len(defaults(world)) == 2
