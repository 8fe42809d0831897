"""Who answers on the wire: real kernels hold the addresses, on the other end of a veth."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from spiderpool.kernel.detection import Timing, announce, conflicts, silent
from spiderpool.kernel.role import Wire
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind, Neighbour
from spiderpool.netlink.operations import AddAddress, CreateLink, Peer, SetNeighbour
from spiderpool.testing.builders import address, known_mac, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.address import Address
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel

OURS, THEIRS = known_mac(1), known_mac(2)
FREE, TAKEN = Address("10.6.0.9"), Address("10.6.0.1")
FREE_6, TAKEN_6 = Address("fd00::9"), Address("fd00::1")
OWN, OWN_6 = Address("10.6.0.7"), Address("fd00::7")


@pytest.fixture
def wire() -> Iterator[tuple[Wire, Namespace]]:
    """A pod's NIC, and the namespace of the host at the other end."""
    with new_namespace() as pod, new_namespace() as other:
        peer = Peer(IfName("lan"), other.fd, THEIRS)
        apply(pod, [CreateLink(IfName("net1"), LinkKind.VETH, mac=OURS, peer=peer), up("net1")])
        apply(other, [up("lan"), AddAddress(address("lan", f"{TAKEN}/16"))])
        apply(other, [AddAddress(address("lan", f"{TAKEN_6}/64"))])
        apply(pod, [AddAddress(address("net1", f"{OWN}/16"))])
        apply(pod, [AddAddress(address("net1", f"{OWN_6}/64"))])
        yield Wire(pod, IfName("net1"), OURS), other


def test_a_taken_address_is_a_conflict_and_a_free_one_is_not(
    wire: tuple[Wire, Namespace],
) -> None:
    found = asyncio.run(conflicts(wire[0], [FREE, TAKEN, FREE_6, TAKEN_6]))
    assert found == {TAKEN: THEIRS, TAKEN_6: THEIRS}


def test_our_own_address_is_no_conflict(wire: tuple[Wire, Namespace]) -> None:
    assert asyncio.run(conflicts(wire[0], [OWN, OWN_6])) == {}


def test_of_two_that_probe_for_one_address_one_gives_up(wire: tuple[Wire, Namespace]) -> None:
    rival = Wire(wire[1], IfName("lan"), THEIRS)

    async def both() -> list[dict[Address, str]]:
        return await asyncio.gather(*(conflicts(one, [FREE, FREE_6]) for one in (wire[0], rival)))

    ours, theirs = asyncio.run(both())
    assert {FREE, FREE_6} <= {*ours, *theirs}
    assert set(ours.values()) <= {THEIRS}
    assert set(theirs.values()) <= {OURS}


def test_a_gateway_that_answers_late_is_not_given_up(wire: tuple[Wire, Namespace]) -> None:
    """It comes up after the first question was lost."""

    async def late() -> tuple[Address, ...]:
        asking = asyncio.create_task(silent(wire[0], {FREE: OWN}, Timing(20, 0.02, 0.3)))
        await asyncio.sleep(0.05)
        apply(wire[1], [AddAddress(address("lan", f"{FREE}/16"))])
        return await asking

    assert asyncio.run(late()) == ()


def test_gateways_that_do_not_answer_are_named(wire: tuple[Wire, Namespace]) -> None:
    gateways = {FREE: OWN, TAKEN: OWN, FREE_6: OWN_6, TAKEN_6: OWN_6}
    assert asyncio.run(silent(wire[0], gateways)) == (FREE, FREE_6)


def test_nothing_to_ask_is_no_wait(wire: tuple[Wire, Namespace]) -> None:
    assert asyncio.run(conflicts(wire[0], [])) == {}


def test_an_announcement_corrects_what_neighbours_believe(
    wire: tuple[Wire, Namespace],
) -> None:
    old = known_mac(99)
    for known in (OWN, OWN_6):
        apply(wire[1], [SetNeighbour(Neighbour(IfName("lan"), known, old, permanent=False))])
    announce(wire[0], [OWN, OWN_6])
    entries = {entry.address: entry.mac for entry in dump(wire[1]).neighbours}
    assert (entries[OWN], entries[OWN_6]) == (OURS, OURS)


def test_a_nic_that_is_not_there_is_an_error_and_not_silence() -> None:
    with new_namespace() as empty, pytest.raises(OSError, match="device"):
        asyncio.run(conflicts(Wire(empty, IfName("net1"), OURS), [FREE]))
