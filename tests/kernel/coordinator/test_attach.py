"""The handler on real namespaces: the kernel takes the plans, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attached_pod import CALI, CONTAINER, AttachedPod, attached_pod
from coordinator_world import comparable

from spiderpool.cni.request import Attachment
from spiderpool.errors import CniCode, CniError
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_route_line, as_rule_line
from spiderpool.netlink.lookup import route_get
from spiderpool.netlink.objects import NetState, Rule, Scope
from spiderpool.netlink.operations import AddAddress, AddRule, DeleteLink, DeleteRoute
from spiderpool.netlink.selection import Selection
from spiderpool.testing.builders import address, down, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.address import Address, Prefix
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import MAIN, IfName, TableID

pytestmark = pytest.mark.kernel

ADD, DEL, CHECK, GC = CniCommand.ADD, CniCommand.DEL, CniCommand.CHECK, CniCommand.GC


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AttachedPod]:
    with attached_pod(tmp_path) as made:
        yield made


def settled(world: AttachedPod) -> tuple[object, object]:
    """Both states, without link-local addresses, which the kernel makes when it likes."""
    pod, node = map(without_link_local, world.states())
    return comparable(pod), comparable(node)


def without_link_local(state: NetState) -> NetState:
    return replace(
        state,
        addresses=tuple(one for one in state.addresses if one.scope is not Scope.LINK),
        routes=tuple(one for one in state.routes if one.destination != "fe80::/64"),
    )


def lines(world: AttachedPod, table: int) -> set[str]:
    return {as_route_line(one) for one in dump(world.pod).routes if one.table == table}


def test_overlay_is_as_the_page_prints_it(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    asyncio.run(world.call(ADD, "net1", mode="overlay"))
    assert lines(world, 100) >= {
        "default via 10.6.0.1 dev net1",
        "10.6.0.0/16 dev net1 scope link src 10.6.212.145",
        "10.6.212.132 dev eth0 scope link",
        "10.233.0.0/18 via 10.6.212.132 dev eth0",
        "10.233.64.0/18 via 10.6.212.132 dev eth0",
    }
    rules = {as_rule_line(rule) for rule in dump(world.pod).rules}
    assert {
        "32760:\tfrom 10.6.212.145 lookup 100",
        "32761:\tfrom 10.233.73.210 lookup 99",
        "32760:\tfrom fd00:10:6::145 lookup 100",
    } <= rules
    assert [r.link for r in dump(world.pod).routes if r.is_default and r.table == MAIN] == [
        "eth0",
        "eth0",
    ]


def test_unbound_sockets_speak_from_eth0_to_the_cluster(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    asyncio.run(world.call(ADD, "net1", mode="overlay"))
    for destination in ("10.233.0.3", "10.233.105.131", "10.6.212.132"):
        decision = route_get(world.pod, Address(destination))
        assert (decision.link, decision.source) == ("eth0", "10.233.73.210")
    decision = route_get(world.pod, Address("fd85::1003"))
    assert (decision.link, decision.source) == ("eth0", "fd85::1:eb84")


@pytest.mark.parametrize(
    ("first", "mode"), [("calico", "overlay"), ("macvlan", "underlay"), ("macvlan", "auto")]
)
def test_add_twice_is_add_once_and_del_leaves_nothing(
    world: AttachedPod, first: str, mode: str
) -> None:
    nics = {"calico": [("net1", 145), ("net2", 146)], "macvlan": [("eth0", 144), ("net1", 145)]}
    if first == "calico":
        world.calico()

    async def attach_and_detach() -> None:
        befores = []
        for nic, number in nics[first]:
            world.macvlan(nic, number)
            befores.append(settled(world))
            await world.call(ADD, nic, number, mode=mode)
            once = settled(world)
            await world.call(ADD, nic, number, mode=mode)
            assert settled(world) == once
            await world.call(CHECK, nic, number, mode=mode)
        for (nic, number), before in reversed(list(zip(nics[first], befores, strict=True))):
            await world.call(DEL, nic, number, mode=mode)
            assert settled(world) == before
            await world.call(DEL, nic, number, mode=mode)
            assert settled(world) == before
            apply(world.pod, [DeleteLink(IfName(nic))])

    asyncio.run(attach_and_detach())


def test_del_needs_no_namespace(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    before = settled(world)[1]

    async def go() -> None:
        await world.call(ADD, "net1", mode="overlay")
        assert settled(world)[1] != before
        await world.call(DEL, "net1", with_pod=False)

    asyncio.run(go())
    assert settled(world)[1] == before


def test_check_names_what_was_taken_away(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)

    async def go() -> None:
        await world.call(ADD, "net1", mode="overlay")
        lost = next(one for one in dump(world.pod).routes if one.destination == "10.233.0.0/18")
        apply(world.pod, [DeleteRoute(lost)])
        await world.call(CHECK, "net1", mode="overlay")

    with pytest.raises(CniError, match=r"the route is missing: 10\.233\.0\.0/18 via") as caught:
        asyncio.run(go())
    assert caught.value.code is CniCode.CHECK_FAILED


def test_gc_spares_valid_attachments_only(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    before = settled(world)[1]

    async def go() -> None:
        await world.call(ADD, "net1", mode="overlay")
        attached = settled(world)[1]
        valid = frozenset({Attachment(CONTAINER, IfName("net1"))})
        await world.call(GC, "net1", valid=valid)
        assert settled(world)[1] == attached
        await world.call(GC, "net1")

    asyncio.run(go())
    assert settled(world)[1] == before


def test_a_changed_mac_is_in_the_result(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    result = asyncio.run(world.call(ADD, "net1", mode="overlay", podMACPrefix="0a:1b"))
    assert result["interfaces"][0]["mac"] == "0a:1b:0a:06:d4:91"
    link = dump(world.pod).link("net1")
    assert link is not None
    assert link.mac == "0a:1b:0a:06:d4:91"
    assert dump(world.node).link(CALI) is not None


def test_an_address_that_someone_has_is_refused_and_set_aside(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    apply(world.outside, [AddAddress(address("lan", "10.6.212.145/16"))])
    before = settled(world)
    with pytest.raises(CniError, match=r"10\.6\.212\.145 is in use by") as caught:
        asyncio.run(world.call(ADD, "net1", mode="overlay", detectIPConflict=True))
    assert caught.value.code is CniCode.ADDRESS_CONFLICT
    assert world.sources.aside == ["10.6.212.145"]
    assert settled(world) == before


def test_what_our_ipam_has_probed_is_not_probed_again(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    apply(world.outside, [AddAddress(address("lan", "10.6.212.145/16"))])
    world.sources.probed = True
    asyncio.run(world.call(ADD, "net1", mode="overlay", detectIPConflict=True))
    assert world.sources.aside == []


def test_a_virtual_machine_that_moves_in_is_not_its_own_rival(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    apply(world.outside, [AddAddress(address("lan", "10.6.212.145/16"))])
    machine = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "name": "vm"}
    world.sources.metadata = {
        "labels": {"kubevirt.io/migrationJobUID": "m"},
        "ownerReferences": [{**machine, "uid": "v", "controller": True}],
    }
    asyncio.run(world.call(ADD, "net1", mode="overlay", detectIPConflict=True))
    assert world.sources.aside == []


def test_another_nic_of_the_pod_in_one_network_is_no_conflict(world: AttachedPod) -> None:
    """eth0 answers ARP for net1's address, which its own namespace has."""
    world.macvlan("eth0", 144)

    async def go() -> None:
        await world.call(ADD, "eth0", 144, mode="underlay")
        world.macvlan("net1", 145)
        await world.call(ADD, "net1", mode="underlay", detectIPConflict=True)

    asyncio.run(go())
    assert world.sources.aside == []


def test_a_gateway_is_asked_for_when_told_to(world: AttachedPod) -> None:
    world.calico()
    world.macvlan("net1", 145)
    asyncio.run(world.call(ADD, "net1", mode="overlay", detectGateway=True))
    apply(world.outside, [down("lan")])
    with pytest.raises(CniError, match=r"no answer on net1 from gateway 10\.6\.0\.1") as caught:
        asyncio.run(world.call(ADD, "net1", mode="overlay", detectGateway=True))
    assert caught.value.code is CniCode.GATEWAY_UNREACHABLE


def test_a_path_that_leads_to_another_pod_by_now_does_it_no_harm(world: AttachedPod) -> None:
    """The namespace is gone, and its path was given to a pod with a net1 of its own."""
    world.calico()
    world.macvlan("net1", 145)
    asyncio.run(world.call(ADD, "net1", mode="overlay"))
    with new_namespace() as other:
        apply(other, [up("lo"), AddRule(Rule(32760, TableID(100), source=Prefix("10.6.0.9/32")))])
        before = dump(other)
        true_pod, world.pod = world.pod, other
        asyncio.run(world.call(DEL, "net1"))
        world.pod = true_pod
        assert dump(other) == before
    assert dump(world.node, Selection(tables=(TableID(500),))).routes == ()
