"""Every option of the configuration, and what it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from coordinator_world import CALI, CONTAINER, DUAL, NODE_FD, PAGE, World

from spiderpool.coordinator.config import Config, PolicyRoute
from spiderpool.coordinator.facts import node_link_name, primary_address
from spiderpool.errors import BadInput
from spiderpool.netlink.apply import apply
from spiderpool.netlink.lines import as_rule_line
from spiderpool.netlink.objects import LinkKind
from spiderpool.netlink.operations import AddAddress, AddRoute, CreateLink, MarkReplies, SetSysctl
from spiderpool.testing.builders import address, direct, route, up
from spiderpool.types.address import Address, Family, Prefix
from spiderpool.types.names import MAIN, IfName, TableID

VETH = node_link_name(CONTAINER)


def overlay() -> World:
    return World().calico().macvlan("net1", 145)


def underlay(*, ipv6: bool = False) -> World:
    return World(ipv6=ipv6).macvlan("eth0", 145)


def test_hijacked_networks_are_in_every_table() -> None:
    world = overlay()
    world.attach("net1", replace(PAGE, hijack_cidr=(Prefix("169.254.0.0/16"),)))
    for table in (MAIN, 99, 100):
        assert "169.254.0.0/16 via 10.6.212.132 dev eth0" in world.table(table)


def test_networks_of_a_family_that_the_node_lacks_are_a_warning() -> None:
    world = World(ipv6=False).calico()
    world.ipv6 = True
    world.macvlan("net1", 145)
    made = world.attach("net1", DUAL)
    assert made.warnings == (
        "the node has no IPv6 address: no routes to fd85::1:0/112, fd85::1000/116",
    )


def test_a_network_that_a_nic_is_connected_to_stays_its_own() -> None:
    world = overlay()
    world.attach("net1", replace(PAGE, hijack_cidr=(Prefix("10.6.0.0/16"),)))
    for table in (MAIN, 100):
        lines = [line for line in world.table(table) if line.startswith("10.6.0.0/16")]
        assert [line.split()[2] for line in lines] == ["net1"]
    assert "10.6.0.0/16 via 10.6.212.132 dev eth0" in world.table(99)


def test_the_mac_is_made_of_prefix_and_address() -> None:
    world = overlay()
    made = world.attach("net1", replace(PAGE, mac_prefix="0a:1b"))
    link = world.pod.state.link("net1")
    assert link is not None
    assert made.mac == link.mac == "0a:1b:0a:06:d4:91"


def test_an_ipv6_only_nic_has_the_last_bytes_of_its_address() -> None:
    world = World(ipv6=True).calico().macvlan("net1", 2, families="6")
    assert world.attach("net1", replace(DUAL, mac_prefix="0a:1b")).mac == "0a:1b:00:00:00:02"


def test_the_queue_is_set_in_the_pod() -> None:
    world = overlay()
    world.attach("net1", replace(PAGE, tx_queue_len=2000))
    lengths = {link.name: link.txqueuelen for link in world.pod.state.links}
    assert lengths == {"lo": 1000, "eth0": 1000, "net1": 2000}


def test_the_pods_filter_is_set_where_the_kernel_looks() -> None:
    world = overlay()
    world.attach("net1", replace(PAGE, pod_rp_filter=2))
    found = {k: v for k, v in world.pod.state.sysctls.items() if k.endswith("rp_filter")}
    assert found == {f"ipv4/conf/{name}/rp_filter": "2" for name in ("all", "eth0", "net1")}


def test_a_negative_filter_leaves_it_alone() -> None:
    world = overlay()
    before = dict(world.pod.state.sysctls)
    world.attach("net1", replace(PAGE, pod_rp_filter=None))
    assert world.pod.state.sysctls == before


@pytest.mark.parametrize(("all_before", "all_after"), [("2", "1"), ("0", "0")])
def test_the_nodes_filter_is_lowered_only_where_it_would_win(
    all_before: str, all_after: str
) -> None:
    world = overlay()
    sysctls = {**world.node.state.sysctls, "ipv4/conf/all/rp_filter": all_before}
    world.node.state = replace(world.node.state, sysctls=sysctls)
    world.attach("net1", replace(PAGE, host_rp_filter=1))
    assert world.node.state.sysctls["ipv4/conf/all/rp_filter"] == all_after
    assert world.node.state.sysctls[f"ipv4/conf/{CALI}/rp_filter"] == "1"
    assert world.node.state.sysctls["ipv4/conf/ens192/rp_filter"] == "1"


def test_ipv6_is_allowed_where_a_runtime_forbade_it() -> None:
    world = World(ipv6=True).calico().macvlan("net1", 145)
    forbidden = {f"ipv6/conf/{link}/disable_ipv6": "1" for link in ("default", "eth0")}
    sysctls = {**world.pod.state.sysctls, **forbidden}
    world.pod.state = replace(world.pod.state, sysctls=sysctls)
    assert [op for op in world.plan("net1", DUAL).pod if isinstance(op, SetSysctl)][:2] == [
        SetSysctl("ipv6/conf/default/disable_ipv6", "0"),
        SetSysctl("ipv6/conf/eth0/disable_ipv6", "0"),
    ]
    world.attach("net1", DUAL)
    assert world.plan("net1", DUAL).is_empty


def test_everything_of_rtnetlink_is_one_batch() -> None:
    """And so each namespace takes as few system calls as can be."""
    made = underlay(ipv6=True).plan("eth0", DUAL)
    kinds = [type(op) in (MarkReplies, SetSysctl) for op in made.pod]
    assert kinds == sorted(kinds)


def test_a_chosen_nic_without_gateway_is_a_warning() -> None:
    world = overlay()
    routes = tuple(r for r in world.pod.state.routes if not (r.is_default and r.link == "net1"))
    world.pod.state = replace(world.pod.state, routes=routes)
    made = world.plan("net1", replace(PAGE, default_route_nic=IfName("net1")))
    assert made.warnings == (
        "net1 was chosen for the default route, but it has no gateway: nothing moves",
    )


def test_the_nodes_table_can_be_another() -> None:
    world = overlay()
    world.attach("net1", replace(PAGE, host_rule_table=TableID(600)))
    assert world.node_routes(600) == {f"10.6.212.145 dev {CALI} scope link"}
    assert world.node_routes(500) == set()
    assert "1000:\tfrom all lookup 600" in map(as_rule_line, world.node.state.rules)


def policy(gateway: str, destination: str = "172.16.0.0/12") -> Config:
    route = PolicyRoute(Prefix(destination), Address(gateway))
    return replace(PAGE, policy_routes=(route,))


def test_policy_routes_are_in_the_nics_table_alone() -> None:
    world = overlay()
    world.attach("net1", policy("10.6.0.9"))
    line = "172.16.0.0/12 via 10.6.0.9 dev net1"
    assert line in world.table(100)
    assert line not in world.table(MAIN) | world.table(99)


def test_policy_routes_of_the_first_nic_are_in_main_too() -> None:
    world = underlay()
    world.attach("eth0", policy("10.6.0.9"))
    for table in (MAIN, 99):
        assert "172.16.0.0/12 via 10.6.0.9 dev eth0" in world.table(table)


def test_a_policy_gateway_must_be_a_neighbour() -> None:
    with pytest.raises(BadInput, match=r"policyRoutes\[0\]\.gw: 10\.9\.0\.1 is on no network"):
        overlay().plan("net1", policy("10.9.0.1"))


def test_policy_routes_of_a_family_that_the_nic_lacks_are_a_warning() -> None:
    made = overlay().plan("net1", policy("fd00::9", "fd77::/64"))
    assert made.warnings == ("policyRoutes[0]: net1 has no address of its family: left out",)


def test_underlay_makes_a_veth_to_the_node() -> None:
    world = underlay()
    made = world.attach("eth0", replace(PAGE, veth_mtu=1400))
    (veth,) = [op for op in made.pod if isinstance(op, CreateLink)]
    assert veth.peer is not None
    assert (veth.peer.name, veth.peer.namespace) == (VETH, NODE_FD)
    outer, inner = world.node.state.link(VETH), world.pod.state.link("veth0")
    assert outer is not None
    assert inner is not None
    assert (outer.mtu, inner.mtu, outer.up, inner.up) == (1400, 1400, True, True)
    assert world.node_routes() == {f"10.6.212.145 dev {VETH} scope link"}
    assert world.node_neighbours() == {f"10.6.212.145 dev {VETH} lladdr {inner.mac} PERMANENT"}


def test_a_veth_too_small_for_ipv6_is_refused_where_there_is_ipv6() -> None:
    small = replace(DUAL, veth_mtu=1279)
    with pytest.raises(BadInput, match="vethMTU: 1279 is less than IPv6 needs, and eth0 has IPv6"):
        underlay(ipv6=True).plan("eth0", small)
    assert not underlay(ipv6=True).plan("eth0", replace(DUAL, veth_mtu=1280)).is_empty
    assert not underlay().plan("eth0", replace(PAGE, veth_mtu=68)).is_empty


def test_underlay_answers_by_the_way_that_it_was_asked() -> None:
    world = underlay(ipv6=True)
    world.attach("eth0", DUAL)
    assert world.pod.state.reply_marks == ("veth0",)
    assert "1000: from all fwmark 0x1 lookup 98" in world.rules()
    assert "1000: from all fwmark 0x1 lookup 98" in world.rules(Family.V6)
    assert "default via 10.6.212.132 dev veth0 src 10.6.212.145" in world.table(98)
    assert "default via fd00:10:6::132 dev veth0 metric 1024" in world.table(98, Family.V6)


def test_underlay_speaks_to_the_cluster_from_eth0() -> None:
    """``veth0`` has no address, or one that is nobody's business."""
    world = underlay()
    world.attach("eth0", replace(PAGE, veth_link_address=Address("169.254.100.1")))
    assert "10.233.0.0/18 via 10.6.212.132 dev veth0 src 10.6.212.145" in world.table()
    assert "32762: from 169.254.100.1 lookup 98" in world.rules()
    assert {entry.address for entry in world.pod.state.addresses_of("veth0")} == {
        "169.254.100.1/32"
    }


def test_a_second_underlay_nic_is_answered_by_the_veth_in_its_families_too() -> None:
    world = World(ipv6=True).macvlan("eth0", 144, families="4")
    world.attach("eth0", DUAL)
    assert world.rules(Family.V6) == set()
    world.macvlan("net1", 145)
    world.attach("net1", DUAL)
    assert "1000: from all fwmark 0x1 lookup 98" in world.rules(Family.V6)


def test_two_nics_in_one_network_answer_each_by_itself() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    world.macvlan("net2", 146)
    world.attach("net2")
    assert "default via 10.6.0.1 dev net1" in world.table(100)
    assert "default via 10.6.0.1 dev net2" in world.table(101)
    assert "32759: from 10.6.212.146 lookup 101" in world.rules()


def arp(world: World) -> dict[str, str]:
    found = world.pod.state.sysctls.items()
    return {k.removeprefix("ipv4/conf/"): v for k, v in found if "arp" in k and v != "0"}


def test_of_two_nics_in_one_network_each_answers_for_itself() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    assert arp(world) == {}
    world.macvlan("net2", 146)
    world.attach("net2")
    assert arp(world) == {
        "net1/arp_ignore": "1",
        "net1/arp_announce": "2",
        "net2/arp_ignore": "1",
        "net2/arp_announce": "2",
    }
    assert world.plan("net2").is_empty


def test_nics_in_different_networks_are_left_alone() -> None:
    world = World().calico().macvlan("net1", 145)
    world.attach("net1")
    world.macvlan("net2", 146, network=7)
    world.attach("net2")
    assert arp(world) == {}


def test_nodes_other_addresses_are_reached_directly_but_not_containers() -> None:
    world = overlay()
    for name, text in (("ens224", "10.7.0.132/16"), ("docker0", "172.17.0.1/16")):
        apply(world.node, [CreateLink(IfName(name), LinkKind.DUMMY), up(name)])
        apply(world.node, [AddAddress(address(name, text))])
    world.attach("net1")
    assert "10.7.0.132 dev eth0 scope link" in world.table()
    assert not any("172.17" in line for line in world.table())


def test_a_tunnels_address_inside_the_pod_network_needs_no_route() -> None:
    world = overlay()
    apply(world.node, [CreateLink(IfName("tunl0"), LinkKind.DUMMY), up("tunl0")])
    apply(world.node, [AddAddress(address("tunl0", "10.233.73.192/32"))])
    world.attach("net1")
    assert not any(line.startswith("10.233.73.192") for line in world.table())


def test_the_gateway_is_the_nodes_own_address_whatever_comes_first() -> None:
    """The tunnel's link is older than the uplink, and the cluster does not say anything."""
    world = overlay()
    apply(world.node, [CreateLink(IfName("tunl0"), LinkKind.DUMMY), up("tunl0")])
    entry = address("tunl0", "10.233.73.192/32")
    world.node.state = replace(world.node.state, addresses=(entry, *world.node.state.addresses))
    facts = replace(world.facts("net1", PAGE), node_addresses=())
    assert primary_address(facts, Family.V4) == "10.6.212.132"
    elsewhere = replace(facts, node_addresses=(Address("10.233.73.192"),))
    assert primary_address(elsewhere, Family.V4) == "10.233.73.192"


def test_what_an_earlier_pod_left_for_the_address_goes() -> None:
    world = overlay()
    apply(world.node, [CreateLink(IfName("caliold"), LinkKind.DUMMY), up("caliold")])
    apply(world.node, [AddRoute(direct("10.6.212.145/32", "caliold", table=TableID(500)))])
    world.attach("net1")
    assert world.node_routes() == {f"10.6.212.145 dev {CALI} scope link"}


def test_what_an_earlier_attachment_left_in_the_nics_table_goes() -> None:
    world = overlay()
    stale = route("172.20.0.0/16", "net1", "10.6.0.1", table=TableID(100))
    apply(world.pod, [AddRoute(stale)])
    world.attach("net1")
    assert not any("172.20" in line for line in world.table(100))
