"""Addresses are asked for before the NIC has them, and the NIC is then as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from attached_pod import AttachedPod, attached_pod

from spiderpool.agent.probing import probe_early
from spiderpool.errors import CniCode, CniError
from spiderpool.ipam.conflicts import Fate
from spiderpool.kernel.in_process import InProcess
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.objects import LinkKind, Neighbour
from spiderpool.netlink.operations import AddAddress, CreateLink, SetNeighbour
from spiderpool.testing.builders import address, up
from spiderpool.types.address import Address
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel

NET1 = IfName("net1")
V4, V6 = Address("10.6.212.145"), Address("fd00:10:6::145")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AttachedPod]:
    """net1 as macvlan's plugin has made it when it asks for addresses: down and without any."""
    with attached_pod(tmp_path) as made:
        link = CreateLink(NET1, LinkKind.MACVLAN, parent=IfName("ens192"), namespace=made.pod.fd)
        apply(made.node, [link])
        yield made


def probe(
    world: AttachedPod, nic: IfName = NET1, *addresses: Address
) -> tuple[bool, list[Address]]:
    settled: list[Address] = []

    async def settle(one: Address) -> Fate:
        settled.append(one)
        return Fate.KEPT

    wanted = addresses or (V4, V6)
    return asyncio.run(probe_early(InProcess(), world.pod, nic, wanted, settle)), settled


def net1_is_up(world: AttachedPod) -> bool:
    link = dump(world.pod).link(NET1)
    assert link is not None
    return link.up


def test_nobody_has_them(world: AttachedPod) -> None:
    assert probe(world) == (True, [])
    assert not net1_is_up(world)
    assert not dump(world.pod).addresses_of(NET1)


def test_somebody_has_one(world: AttachedPod) -> None:
    for text in ("10.6.212.145/16", "fd00:10:6::145/64"):
        apply(world.outside, [AddAddress(address("lan", text))])
        with pytest.raises(CniError, match=f"net1: {text.partition('/')[0]} is in use by") as error:
            probe(world, NET1, Address(text.partition("/")[0]))
        assert error.value.code is CniCode.ADDRESS_CONFLICT
        assert not net1_is_up(world)


def test_its_neighbours_go_on_believing_its_true_holder(world: AttachedPod) -> None:
    """An address that is configured first would be announced."""
    apply(world.outside, [SetNeighbour(Neighbour(IfName("lan"), V4, "02:00:00:00:00:99"))])
    before = dump(world.outside).neighbours
    assert probe(world) == (True, [])
    assert dump(world.outside).neighbours == before


def test_a_nic_that_is_up_stays_up(world: AttachedPod) -> None:
    apply(world.pod, [up("net1")])
    assert probe(world) == (True, [])
    assert net1_is_up(world)


def test_a_nic_that_is_still_to_be_made_is_left_to_the_coordinator(world: AttachedPod) -> None:
    assert probe(world, IfName("net2")) == (False, [])
