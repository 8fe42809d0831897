"""The protocol between plugin and agent: whole, half, oversized and foreign requests."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiderpool.agent.wire import (
    PeerGone,
    RawRequest,
    decode,
    encode_answer,
    receive_request,
)
from spiderpool.cni.plugin import LARGEST_ENV, LARGEST_STDIN
from spiderpool.errors import CniCode, CniError

REQUEST = RawRequest({"CNI_COMMAND": "ADD", "CNI_ARGS": "a=b=c"}, b'{"name":"n"}')

_keys = st.text(st.characters(codec="utf-8", exclude_characters="=\0"), min_size=1)
_values = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.dictionaries(_keys, _values), st.binary())
def test_what_is_encoded_is_decoded(env: dict[str, str], stdin: bytes) -> None:
    request = RawRequest(env, stdin)
    assert decode(request.encode()) == request


@given(st.binary())
def test_bytes_that_are_no_request_are_refused(data: bytes) -> None:
    with pytest.raises(CniError) as caught:
        decode(data)
    assert caught.value.code is CniCode.DECODING_FAILURE


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_part_of_a_request_is_refused(cut: int) -> None:
    with pytest.raises(CniError):
        decode(REQUEST.encode()[:-cut])


def receiving(
    send: Callable[[socket.socket], Coroutine[Any, Any, None]],
) -> tuple[RawRequest, list[int]]:
    async def main() -> tuple[RawRequest, list[int]]:
        mine, theirs = socket.socketpair()
        mine.setblocking(False)
        theirs.setblocking(False)
        descriptors: list[int] = []
        sending = asyncio.create_task(send(mine))
        try:
            async with asyncio.timeout(5):
                return await receive_request(theirs, descriptors), descriptors
        finally:
            await sending
            mine.close()
            theirs.close()
            for descriptor in descriptors:
                os.close(descriptor)

    return asyncio.run(main())


def test_a_request_may_come_byte_by_byte() -> None:
    async def send(mine: socket.socket) -> None:
        for byte in REQUEST.encode():
            mine.send(bytes([byte]))
            await asyncio.sleep(0)

    assert receiving(send)[0] == REQUEST


def test_descriptors_ride_with_the_first_byte() -> None:
    async def send(mine: socket.socket) -> None:
        data = REQUEST.encode()
        socket.send_fds(mine, [data[:1]], [0, 0])
        await asyncio.sleep(0.01)
        mine.send(data[1:])

    request, descriptors = receiving(send)
    assert request == REQUEST
    assert len(descriptors) == 2


def test_too_many_descriptors_are_refused_and_none_is_kept() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    async def send(mine: socket.socket) -> None:
        socket.send_fds(mine, [REQUEST.encode()], [0] * 9)

    with pytest.raises(CniError, match="more than 2 descriptors"):
        receiving(send)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("size", [0, 1, 15, 16, 20, 50])
def test_a_peer_that_hangs_up_midway(size: int) -> None:
    async def send(mine: socket.socket) -> None:
        mine.send(REQUEST.encode()[:size]) if size else None
        mine.close()

    with pytest.raises(PeerGone):
        receiving(send)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ((b"HTTP", 1, 0, 0), "it starts with b'HTTP', not with b'SPCN'"),
        ((b"SPCN", 9, 0, 0), "it speaks protocol 9, this agent 1"),
        ((b"SPCN", 1, LARGEST_ENV + 1, 0), "bytes of environment are over the limit"),
        ((b"SPCN", 1, 0, LARGEST_STDIN + 1), "bytes of configuration are over the limit"),
    ],
)
def test_a_bad_header_is_refused_before_the_rest_is_read(
    header: tuple[bytes, int, int, int], words: str
) -> None:
    async def send(mine: socket.socket) -> None:
        mine.send(struct.pack(">4sIII", *header))

    with pytest.raises(CniError, match=words):
        receiving(send)


def test_more_than_announced_is_refused() -> None:
    async def send(mine: socket.socket) -> None:
        mine.send(REQUEST.encode() + b"more")

    with pytest.raises(CniError, match="more bytes follow"):
        receiving(send)


def test_an_answer_is_its_status_and_text() -> None:
    assert encode_answer(1, b"{}") == b"SPCN\0\0\0\1\0\0\0\2{}"
