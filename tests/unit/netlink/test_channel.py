"""What the channel makes of the kernel's answers, played back from a script."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spiderpool.errors import OperationFailed
from spiderpool.netlink import requests, uapi
from spiderpool.netlink.channel import DUMP_ATTEMPTS, Channel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.wire import HEADER, attribute, message

Reply = tuple[int, int, bytes]
"""Type, flags and body of a message to play back."""

ENTRY: Reply = (uapi.RTM_NEWROUTE, 0, b"entry")
INTERRUPTED: Reply = (uapi.RTM_NEWROUTE, uapi.NLM_F_DUMP_INTR, b"half")
DONE: Reply = (uapi.NLMSG_DONE, 0, bytes(4))


def error(code: int, words: str = "") -> Reply:
    body = struct.pack("=i", -code) + bytes(16)
    if not words:
        return uapi.NLMSG_ERROR, uapi.NLM_F_CAPPED, body
    body += attribute(uapi.NLMSGERR_ATTR_MSG, words.encode() + b"\0")
    return uapi.NLMSG_ERROR, uapi.NLM_F_CAPPED | uapi.NLM_F_ACK_TLVS, body


class Script:
    """A socket and the namespace it comes from: answers each request as ``answer`` says."""

    def __init__(self, answer: Callable[[int], list[Reply]], port: int = 0) -> None:
        self.answer, self.port = answer, port
        self.sent: list[tuple[int, int]] = []
        self.queue: list[bytes] = []
        self.closed = False

    def socket(self, *_: int) -> Script:
        return self

    def setsockopt(self, *_: int) -> None: ...

    def close(self) -> None:
        self.closed = True

    def sendto(self, data: bytes, _: object) -> None:
        offset = 0
        while offset < len(data):
            length, _, flags, sequence, _ = HEADER.unpack_from(data, offset)
            offset += length
            for kind, reply_flags, body in self.answer(len(self.sent)):
                raw = bytearray(message(kind, reply_flags, body + bytes(-len(body) % 4)))
                struct.pack_into("=I", raw, 8, sequence)
                self.queue.append(bytes(raw))
            self.sent.append((sequence, flags))

    def recvfrom(self, _: int, flags: int) -> tuple[bytes, tuple[int, int]]:
        assert flags == socket.MSG_DONTWAIT
        if not self.queue:
            raise BlockingIOError(errno.EAGAIN, "nothing")
        return self.queue.pop(0), (self.port, 0)


def channel(answer: Callable[[int], list[Reply]], port: int = 0) -> tuple[Channel, Script]:
    script = Script(answer, port)
    return Channel(cast(Any, script)), script


DUMP = requests.links()
REQUEST = requests.link_named("eth0")


def test_a_dump() -> None:
    made, _ = channel(lambda _: [ENTRY, ENTRY, DONE])
    assert [body[:5] for body in made.dump(DUMP)] == [b"entry", b"entry"]


def test_an_interrupted_dump_starts_over() -> None:
    made, script = channel(lambda n: [ENTRY, INTERRUPTED, DONE] if n < 3 else [ENTRY, DONE])
    assert len(made.dump(DUMP)) == 1
    assert len(script.sent) == 4


def test_the_end_may_say_that_a_dump_was_interrupted() -> None:
    end = (uapi.NLMSG_DONE, uapi.NLM_F_DUMP_INTR, bytes(4))
    made, script = channel(lambda n: [ENTRY, end] if n < 1 else [ENTRY, DONE])
    assert len(made.dump(DUMP)) == 1
    assert len(script.sent) == 2


def test_a_dump_that_never_is_consistent() -> None:
    made, script = channel(lambda _: [INTERRUPTED, DONE])
    with pytest.raises(OperationFailed, match="keep changing") as caught:
        made.dump(DUMP)
    assert caught.value.errno == errno.EINTR
    assert len(script.sent) == DUMP_ATTEMPTS


@pytest.mark.parametrize(
    "refusal", [error(errno.EPERM), (uapi.NLMSG_DONE, 0, struct.pack("=i", -errno.EPERM))]
)
def test_a_refused_dump(refusal: Reply) -> None:
    made, _ = channel(lambda _: [ENTRY, refusal])
    with pytest.raises(OperationFailed) as caught:
        made.dump(DUMP)
    assert caught.value.errno == errno.EPERM


def test_a_dump_without_an_end() -> None:
    made, _ = channel(lambda _: [ENTRY])
    with pytest.raises(OperationFailed, match="lost"):
        made.dump(DUMP)


def test_what_is_not_from_the_kernel_does_not_count() -> None:
    made, _ = channel(lambda _: [ENTRY, DONE], port=4711)
    with pytest.raises(OperationFailed, match="lost"):
        made.dump(DUMP)


def test_answers_of_a_batch_find_their_message() -> None:
    replies = {1: [error(errno.EEXIST, "there already")], 3: [error(0)]}
    made, script = channel(lambda n: replies.get(n, []))
    answers = made.batch([REQUEST] * 4)
    assert answers == [(0, ""), (errno.EEXIST, "there already"), (0, ""), (0, "")]
    assert [bool(flags & uapi.NLM_F_ACK) for _, flags in script.sent] == [False] * 3 + [True]


def test_an_old_answer_does_not_count() -> None:
    """What a transaction left unread is of another sequence number."""
    made, _ = channel(lambda n: [error(errno.EPERM)] * 3 if n == 0 else [error(0)])
    edge = [REQUEST] * 3
    assert made.transaction(edge)[0] == errno.EPERM
    assert made.batch([REQUEST]) == [(0, "")]


def test_a_big_batch_is_cut() -> None:
    made, script = channel(lambda n: [error(0)])
    assert len(made.batch([REQUEST] * 450)) == 450
    acknowledged = [n for n, (_, flags) in enumerate(script.sent) if flags & uapi.NLM_F_ACK]
    assert acknowledged == [199, 399, 449]


def test_no_batch_no_system_call() -> None:
    made, script = channel(lambda _: [])
    assert made.batch([]) == []
    assert made.request_each([]) == []
    assert script.sent == []


def test_a_message_that_does_not_fit() -> None:
    class Short(Script):
        def recvfrom(self, size: int, flags: int) -> tuple[bytes, tuple[int, int]]:
            data, sender = super().recvfrom(size, flags)
            return data[:-4], sender

    script = Short(lambda _: [ENTRY, DONE])
    with pytest.raises(OperationFailed, match="unreadable"):
        Channel(cast(Namespace, script)).dump(DUMP)


bodies = st.sampled_from([0, 2, 4, 20, 24, 40]).flatmap(
    lambda size: st.binary(min_size=size, max_size=size)
)
kinds = st.sampled_from([uapi.NLMSG_ERROR, uapi.NLMSG_DONE, uapi.RTM_NEWROUTE, 0])
words = st.sampled_from([0, uapi.NLM_F_DUMP_INTR, uapi.NLM_F_CAPPED | uapi.NLM_F_ACK_TLVS])
ASKED: list[Callable[[Channel], object]] = [
    lambda made: made.dump(DUMP),
    lambda made: made.batch([REQUEST] * 3),
    lambda made: made.transaction([REQUEST] * 3),
    lambda made: made.request_each([REQUEST] * 2),
]


@given(st.sampled_from(ASKED), st.lists(st.tuples(kinds, words, bodies), max_size=3))
@example(ASKED[1], [(uapi.NLMSG_ERROR, 0, b"")])
@example(ASKED[1], [(uapi.NLMSG_ERROR, uapi.NLM_F_ACK_TLVS, b"\xff" * 24)])
def test_any_answers(ask: Callable[[Channel], object], replies: list[Reply]) -> None:
    made, _ = channel(lambda _: replies)
    try:
        ask(made)
    except OperationFailed:
        return
