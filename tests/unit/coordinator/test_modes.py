"""Which mode is in effect, and where a mode cannot work."""

from dataclasses import replace

import pytest
from coordinator_world import PAGE, World

from spiderpool.coordinator.config import Config
from spiderpool.coordinator.facts import mode_of, other_end
from spiderpool.errors import BadInput
from spiderpool.netlink.objects import Link, LinkKind
from spiderpool.types.modes import Mode
from spiderpool.types.names import IfName


def of(mode: Mode) -> Config:
    return replace(PAGE, mode=mode)


@pytest.mark.parametrize(
    ("world", "nic", "mode"),
    [
        (World().calico().macvlan("net1", 145), "net1", Mode.OVERLAY),
        (World().macvlan("eth0", 144), "eth0", Mode.UNDERLAY),
    ],
)
def test_auto_is_found_out_from_the_pod(world: World, nic: str, mode: Mode) -> None:
    assert mode_of(world.facts(nic, of(Mode.AUTO))) is mode


def test_auto_after_an_underlay_first_nic_is_underlay() -> None:
    world = World().macvlan("eth0", 144)
    world.attach("eth0")
    world.macvlan("net1", 145)
    assert mode_of(world.facts("net1", of(Mode.AUTO))) is Mode.UNDERLAY


def test_overlay_is_not_for_the_first_nic() -> None:
    world = World().calico()
    with pytest.raises(BadInput, match="interface eth0: overlay mode is for additional NICs"):
        world.plan("eth0", of(Mode.OVERLAY))


def test_overlay_beside_veth0_is_refused() -> None:
    world = World().macvlan("eth0", 144)
    world.attach("eth0")
    world.macvlan("net1", 145)
    with pytest.raises(BadInput, match="attached in underlay mode"):
        world.plan("net1", of(Mode.OVERLAY))


def test_underlay_needs_the_veth_that_the_first_nic_brings() -> None:
    world = World().macvlan("eth0", 144).macvlan("net1", 145)
    with pytest.raises(BadInput, match="chain the coordinator into the NAD of eth0"):
        world.plan("net1", of(Mode.UNDERLAY))


def test_disabled_does_nothing() -> None:
    world = World().calico().macvlan("net1", 145)
    assert world.plan("net1", of(Mode.DISABLED)).is_empty


def test_overlay_needs_a_veth_to_the_node() -> None:
    world = World().macvlan("eth0", 144).macvlan("net1", 145)
    with pytest.raises(BadInput, match="overlay mode needs a veth"):
        world.plan("net1", of(Mode.OVERLAY))


def test_a_macvlan_is_no_pair_even_when_the_numbers_of_links_look_so() -> None:
    """The uplink is itself a veth, and both have number 2 in their namespaces."""
    inner = Link(IfName("eth0"), 2, LinkKind.MACVLAN, parent_index=2, parent_elsewhere=True)
    uplink = Link(IfName("ens192"), 2, LinkKind.VETH, parent_index=2, parent_elsewhere=True)
    assert other_end(inner, [uplink]) is None
    assert other_end(replace(inner, kind=LinkKind.VETH), [uplink]) is uplink


def test_a_nic_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="interface net7: the pod has no such link"):
        World().calico().plan("net7")


def test_a_nic_without_addresses_is_named() -> None:
    world = World().calico().macvlan("net1", 145, families="")
    with pytest.raises(BadInput, match="interface net1: it has no address"):
        world.plan("net1")


def test_a_mac_prefix_is_not_for_ipvlan() -> None:
    world = World().calico().macvlan("net1", 145)
    links = tuple(
        replace(link, kind=LinkKind.IPVLAN) if link.name == "net1" else link
        for link in world.pod.state.links
    )
    world.pod.state = replace(world.pod.state, links=links)
    with pytest.raises(BadInput, match="podMACPrefix: net1 is an ipvlan link"):
        world.plan("net1", replace(PAGE, mac_prefix="0a:1b"))
