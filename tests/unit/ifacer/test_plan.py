"""Plans for a node's devices, carried out on the model of a kernel."""

from __future__ import annotations

import pytest

from spiderpool.errors import BadInput
from spiderpool.ifacer.devices import BondDevice, Device, VlanDevice
from spiderpool.ifacer.plan import plan
from spiderpool.ifacer.removal import removal
from spiderpool.netlink.model import after
from spiderpool.netlink.objects import Link, LinkKind, NetState
from spiderpool.netlink.operations import AddAddress, ChangeLink, CreateLink, DeleteLink
from spiderpool.netlink.text import as_command
from spiderpool.testing.builders import address, down, pair, up
from spiderpool.testing.netlink import FRESH
from spiderpool.types.names import IfName

ETH1, ETH2, BOND0 = IfName("eth1"), IfName("eth2"), IfName("bond0")
NODE = after(FRESH, (pair("eth1", "lan1", 10), pair("eth2", "lan2", 20)))
VLAN = VlanDevice(IfName("eth1.100"), ETH1, 100)
BOND = BondDevice(BOND0, (ETH1, ETH2), (("mode", 1), ("miimon", 100)))
UPON_BOND = VlanDevice(IfName("bond0.7"), BOND0, 7)


def commands(node: NetState, *wanted: Device) -> list[str]:
    return [as_command(operation) for operation in plan(wanted, node)]


def link(node: NetState, name: str) -> Link:
    found = node.link(name)
    assert found is not None
    return found


def made(*wanted: Device, node: NetState = NODE) -> NetState:
    return after(node, plan(wanted, node))


def test_a_vlan_is_created() -> None:
    assert commands(NODE, VLAN) == ["ip link add link eth1 name eth1.100 up type vlan id 100"]


def test_a_parent_that_is_down_is_set_up_first() -> None:
    node = after(NODE, (down("eth1"),))
    assert commands(node, VLAN)[0] == "ip link set dev eth1 up"
    assert link(made(VLAN, node=node), "eth1.100").up


def test_a_vlan_that_is_there_is_used_and_set_up() -> None:
    node = made(VLAN)
    assert commands(node, VLAN) == []
    assert commands(after(node, (down("eth1.100"),)), VLAN) == ["ip link set dev eth1.100 up"]


def test_a_vlan_is_used_by_one_device_only() -> None:
    node = made(VLAN)
    for other in (VlanDevice(IfName("eth2.100"), ETH2, 100), VlanDevice(IfName("x"), ETH1, 100)):
        with pytest.raises(BadInput, match=r"VLAN 100 is taken by eth1\.100"):
            plan((other,), node)


def test_a_name_that_means_something_else_is_left_alone() -> None:
    node = made(VLAN)
    for other in (VlanDevice(VLAN.name, ETH2, 5), VlanDevice(VLAN.name, ETH1, 5)):
        with pytest.raises(BadInput, match=r"ifacer eth1\.100: a device of this name is there"):
            plan((other,), node)
    with pytest.raises(BadInput, match="it is no bond of mode 1"):
        plan((BondDevice(ETH2, (ETH1, IfName("lan1")), (("mode", 1),)),), node)


def test_a_missing_nic_is_named_with_what_there_is() -> None:
    with pytest.raises(BadInput, match=r"this node has no NIC eth9; it has eth1, lan1"):
        plan((VlanDevice(IfName("eth9.5"), IfName("eth9"), 5),), NODE)


def test_a_bond_takes_its_members_down_and_itself_up() -> None:
    assert commands(NODE, BOND) == [
        "ip link add name bond0 type bond mode 1 miimon 100",
        "ip link set dev eth1 down",
        "ip link set dev eth1 master bond0",
        "ip link set dev eth2 down",
        "ip link set dev eth2 master bond0",
        "ip link set dev bond0 up",
    ]
    node = made(BOND)
    for name in ("eth1", "eth2"):
        assert (link(node, name).master, link(node, name).up) == (BOND0, True)
    assert commands(node, BOND) == []


def test_a_vlan_upon_a_bond_is_made_in_one_plan() -> None:
    node = made(BOND, UPON_BOND)
    assert link(node, "bond0.7").parent_index == link(node, "bond0").index
    assert plan((BOND, UPON_BOND), node) == ()


def test_a_bond_that_lost_a_member_gets_it_back_if_it_is_ours() -> None:
    node = after(NODE, (CreateLink(BOND0, LinkKind.BOND, bond=BOND.settings), down("eth1")))
    node = after(node, (ChangeLink(ETH1, master=BOND0),))
    assert list(map(as_command, plan((BOND,), node, ours=[BOND0])))[:2] == [
        "ip link set dev eth2 down",
        "ip link set dev eth2 master bond0",
    ]
    with pytest.raises(BadInput, match="no bond of eth1, eth2: eth2 is not in it"):
        plan((BOND,), node)


def test_another_bond_is_not_changed_into_ours() -> None:
    node = made(BOND)
    with pytest.raises(BadInput, match="no bond of mode 4"):
        plan((BondDevice(BOND0, BOND.members, (("mode", 4),)),), node)
    with pytest.raises(BadInput, match="no bond of eth1: eth2 is in it"):
        plan((BondDevice(BOND0, (ETH1,), BOND.settings),), node)
    with pytest.raises(BadInput, match="bond1: eth1: is a member of bond0"):
        plan((BondDevice(IfName("bond1"), BOND.members, BOND.settings),), node)


def test_a_nic_that_the_node_uses_is_no_member() -> None:
    node = after(NODE, (AddAddress(address("eth2", "10.6.212.132/16")),))
    with pytest.raises(BadInput, match=r"eth2: has the address 10\.6\.212\.132/16"):
        plan((BOND,), node)


def test_removal_leads_back() -> None:
    node = made(BOND, UPON_BOND)
    node = after(node, removal(UPON_BOND, node))
    assert after(node, removal(BOND, node)) == NODE


def test_members_that_were_down_stay_down() -> None:
    idle = after(NODE, (down("eth2"),))
    node = made(BOND, node=idle)
    assert after(node, removal(BOND, node, idle=[ETH2])) == idle


def test_a_device_with_another_use_stays() -> None:
    node = made(BOND, UPON_BOND)
    assert removal(BOND, node) == ()
    addressed = after(node, (AddAddress(address("bond0.7", "10.9.0.1/24")),))
    assert removal(UPON_BOND, addressed) == ()
    assert removal(UPON_BOND, node) == (DeleteLink(IfName("bond0.7")),)


def test_a_bond_that_got_another_member_stays() -> None:
    node = after(made(BOND), (pair("eth3", "lan3", 30), down("eth3")))
    assert removal(BOND, node) != ()
    assert removal(BOND, after(node, (ChangeLink(IfName("eth3"), master=BOND0),))) == ()


def test_what_is_gone_or_something_else_is_not_removed() -> None:
    assert removal(VLAN, NODE) == ()
    assert removal(VlanDevice(ETH1, ETH2, 5), after(NODE, (up("lan1"),))) == ()
