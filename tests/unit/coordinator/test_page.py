"""Every line of ``ip rule`` and ``ip route`` that the acceptance page prints."""

from coordinator_world import CALI, PAGE, World

from spiderpool.types.names import MAIN


def test_the_pages_rules() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    assert world.rules() == {
        "32760: from 10.6.212.145 lookup 100",
        "32761: from 10.233.73.210 lookup 99",
    }


def test_the_pages_main_table() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    assert world.table(MAIN) == {
        "default via 169.254.1.1 dev eth0",
        "10.6.0.0/16 dev net1 proto kernel scope link src 10.6.212.145",
        "10.6.212.132 dev eth0 scope link",
        "10.233.0.0/18 via 10.6.212.132 dev eth0",
        "10.233.64.0/18 via 10.6.212.132 dev eth0",
        "169.254.1.1 dev eth0 scope link",
    }


def test_the_pages_table_of_net1() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    assert world.table(100) == {
        "default via 10.6.0.1 dev net1",
        "10.6.0.0/16 dev net1 scope link src 10.6.212.145",
        "10.6.212.132 dev eth0 scope link",
        "10.233.0.0/18 via 10.6.212.132 dev eth0",
        "10.233.64.0/18 via 10.6.212.132 dev eth0",
    }


def test_eth0_has_a_complete_table_too() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    assert world.table(99) == {
        "default via 169.254.1.1 dev eth0",
        "169.254.1.1 dev eth0 scope link",
        "10.6.212.132 dev eth0 scope link",
        "10.233.0.0/18 via 10.6.212.132 dev eth0",
        "10.233.64.0/18 via 10.6.212.132 dev eth0",
    }


def test_the_node_reaches_the_pod_by_its_calico_veth() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    assert world.node_routes() == {f"10.6.212.145 dev {CALI} scope link"}
    assert world.node_neighbours() == {
        f"10.6.212.145 dev {CALI} lladdr a2:99:9d:04:01:80 PERMANENT"
    }


def test_attaching_twice_changes_nothing() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1", PAGE)
    assert world.plan("net1", PAGE).is_empty
