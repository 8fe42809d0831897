"""Tapes make the same calls again, and counters see every call."""

from __future__ import annotations

import os
import socket

import pytest

from benchmarks.counting import system_calls
from benchmarks.tape import FREE_INDEX, Tape, refused, with_indices
from spiderpool.netlink.objects import LinkKind
from spiderpool.netlink.operations import CreateLink, Peer
from spiderpool.testing.builders import up
from spiderpool.types.names import IfName


class Doubler:
    def __init__(self) -> None:
        self.seen: list[int] = []

    def double(self, number: int) -> int:
        self.seen.append(number)
        return 2 * number


def test_a_tape_repeats_the_calls_of_the_body_only() -> None:
    doubler, tape = Doubler(), Tape()
    doubler.double(1)
    with tape.recording((Doubler, "double")):
        assert [doubler.double(2), doubler.double(3)] == [4, 6]
    doubler.double(4)
    assert tape.play() == [4, 6]
    assert doubler.seen == [1, 2, 3, 4, 2, 3]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], False),
        ([[(0, ""), (0, "")], (0, "")], False),
        ([[(0, ""), (19, "no such device")]], True),
        ([[(0, "")], (2, "")], True),
    ],
)
def test_one_refusal_is_enough(answers: list[object], expected: bool) -> None:
    assert refused(answers) is expected


def test_only_new_links_get_an_index() -> None:
    link = CreateLink(IfName("veth0"), LinkKind.VETH, peer=Peer(IfName("v"), namespace=7))
    made = with_indices(link)
    assert isinstance(made, CreateLink)
    assert made.peer is not None
    assert (made.index, made.peer.index) == (FREE_INDEX, FREE_INDEX + 1)
    assert with_indices(up("veth0")) == up("veth0")


def test_calls_are_counted_while_the_body_runs() -> None:
    with system_calls() as calls:
        os.close(os.open(os.devnull, os.O_RDONLY))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.bind("")
    os.close(os.open(os.devnull, os.O_RDONLY))
    assert calls == {"open": 1, "close": 2, "socket": 1, "bind": 1}
