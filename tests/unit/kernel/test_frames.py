"""Frames of address resolution: as the RFCs draw them, and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.kernel.frames import Heard, announcement, heard, probe, question
from spiderpool.types.address import Address

MAC = "02:00:00:00:00:01"
V4, V6 = Address("10.6.212.145"), Address("fd00:10:6::2e5")


def test_an_arp_probe_claims_nothing() -> None:
    assert probe(MAC, V4).hex() == (
        "ffffffffffff" + "020000000001" + "0806"
        "0001" "0800" "06" "04" "0001"
        "020000000001" "00000000" "000000000000" "0a06d491"
    )  # fmt: skip


def test_a_neighbour_solicitation_goes_to_the_targets_group() -> None:
    frame = question(MAC, Address("fd00:10:6::1"), V6)
    assert frame[:6].hex() == "3333ff0002e5"
    assert frame[38:54] == bytes.fromhex("ff0200000000000000000001ff0002e5")
    assert frame[-8:].hex() == "0101" + "020000000001"


@pytest.mark.parametrize("address", [V4, V6])
def test_probes_and_announcements_are_told_apart(address: Address) -> None:
    assert heard(probe(MAC, address)) == Heard(address, MAC, probing=True)
    assert heard(announcement(MAC, address)) == Heard(address, MAC)


def test_a_question_says_who_asks_in_arp_only() -> None:
    asker = Address("10.6.0.9")
    assert heard(question(MAC, asker, V4)) == Heard(asker, MAC)
    assert heard(question(MAC, Address("fd00::9"), V6)) is None


def test_ndp_that_a_router_let_through_is_not_believed() -> None:
    frame = bytearray(announcement(MAC, V6))
    frame[14 + 7] = 254
    assert heard(bytes(frame)) is None


@given(st.binary(max_size=120))
def test_no_frame_is_too_strange_to_read(frame: bytes) -> None:
    heard(frame)
    heard(b"\0" * 12 + b"\x08\x06" + frame)
    heard(b"\0" * 12 + b"\x86\xdd" + frame)
