"""Where a plan is cut."""

from __future__ import annotations

from spiderpool.netlink.batches import batches
from spiderpool.netlink.objects import LinkKind, Rule
from spiderpool.netlink.operations import (
    AddRule,
    CreateLink,
    MarkReplies,
    Operation,
    Peer,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.types.names import IfName, TableID

RULE = AddRule(Rule(1, TableID(500)))
SYSCTL = SetSysctl("ipv4/conf/all/rp_filter", "0")
MARK, UNMARK = MarkReplies(IfName("veth0")), UnmarkReplies(IfName("veth0"))


def sizes(*plan: Operation) -> list[int]:
    return [len(batch) for batch in batches(plan)]


def test_each_way_into_the_kernel_has_batches_of_its_own() -> None:
    assert sizes(RULE, RULE, SYSCTL, SYSCTL, MARK, UNMARK, RULE) == [2, 2, 2, 1]
    assert sizes() == []


def test_a_link_without_a_chosen_index_ends_a_batch() -> None:
    bridge = CreateLink(IfName("br0"), LinkKind.BRIDGE)
    elsewhere = CreateLink(IfName("net1"), LinkKind.MACVLAN, namespace=7)
    one_end = CreateLink(IfName("eth0"), LinkKind.VETH, index=3, peer=Peer(IfName("cali0")))
    chosen = CreateLink(IfName("br1"), LinkKind.BRIDGE, index=9)
    assert sizes(bridge, RULE) == [1, 1]
    assert sizes(one_end, RULE) == [1, 1]
    assert sizes(elsewhere, chosen, RULE) == [3]
