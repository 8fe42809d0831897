"""Wires are read from the links' own numbers."""

from __future__ import annotations

from harness.trace.wires import Nic, wires_of
from spiderpool.netlink.objects import Link, LinkKind, NetState
from spiderpool.types.names import IfName


def link(name: str, index: int, kind: LinkKind, parent: int) -> Link:
    return Link(IfName(name), index, kind, parent_index=parent, parent_elsewhere=True)


def test_ends_parents_and_carriers() -> None:
    states = {
        "switch": NetState(links=(link("node", 5, LinkKind.VETH, 2),)),
        "node": NetState(
            links=(link("ens192", 2, LinkKind.VETH, 5), link("cali", 100, LinkKind.VETH, 3))
        ),
        "pod": NetState(
            links=(
                Link(IfName("lo"), 1),
                link("eth0", 3, LinkKind.VETH, 100),
                link("net1", 4, LinkKind.MACVLAN, 2),
            )
        ),
    }
    wires = wires_of(states, {"node": "switch", "pod": "node", "gone": "node"}, "switch")
    assert wires.peers[Nic("pod", "eth0")] == Nic("node", "cali")
    assert wires.peers[Nic("node", "cali")] == Nic("pod", "eth0")
    assert wires.peers[Nic("switch", "node")] == Nic("node", "ens192")
    assert wires.parents == {Nic("pod", "net1"): Nic("node", "ens192")}
    assert wires.carriers == {Nic("switch", "node"), Nic("node", "cali")}


def test_vlans_and_bonds_stand_on_nics_of_their_place() -> None:
    bond, upper = IfName("bond0"), Nic("node", "bond0")
    member = Link(IfName("eth1"), 2, LinkKind.VETH, master=bond)
    port = Link(IfName("eth2"), 4, LinkKind.VETH, master=IfName("br0"))
    links = (
        Link(bond, 3, LinkKind.BOND),
        member,
        port,
        Link(IfName("br0"), 6, LinkKind.BRIDGE),
        Link(IfName("bond0.7"), 5, LinkKind.VLAN, parent_index=3),
    )
    pod = NetState(links=(link("net1", 9, LinkKind.IPVLAN, 5),))
    wires = wires_of({"node": NetState(links=links), "pod": pod}, {"pod": "node"}, "switch")
    assert wires.stands_on(Nic("pod", "net1"), Nic("node", "bond0.7"))
    assert wires.stands_on(Nic("node", "bond0.7"), upper)
    assert wires.stands_on(upper, Nic("node", "eth1"))
    assert not wires.stands_on(upper, Nic("node", "eth2"))
    assert not wires.stands_on(Nic("node", "br0"), Nic("node", "eth2"))


def test_a_switch_that_cannot_be_looked_into_carries_nothing_that_is_seen() -> None:
    states = {"node": NetState(links=(link("ens192", 2, LinkKind.VETH, 5),))}
    wires = wires_of(states, {"node": "switch"}, "switch")
    assert (wires.peers, wires.carriers) == ({}, frozenset())
