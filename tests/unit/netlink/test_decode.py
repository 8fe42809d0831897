"""Decoding of what no kernel should send: an object, None, or ValueError."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spiderpool.netlink import decode
from spiderpool.netlink.encode import IFADDRMSG, IFINFOMSG, NDMSG, RTMSG, encode
from spiderpool.netlink.objects import Route
from spiderpool.netlink.operations import AddRoute
from spiderpool.netlink.wire import attributes, messages
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import IfName


def names(index: int) -> str | None:
    return "eth0" if index else None


DECODERS: list[Callable[[bytes], object]] = [
    lambda body: decode.link(body, names),
    lambda body: decode.address(body, names),
    lambda body: decode.route(body, names),
    decode.rule,
    lambda body: decode.neighbour(body, names),
    decode.link_name,
]


@given(st.sampled_from(DECODERS), st.binary(max_size=80))
@example(DECODERS[0], IFINFOMSG.pack(0, 0, 1, 0, 0))
@example(DECODERS[1], IFADDRMSG.pack(2, 8, 0, 0, 1))
@example(DECODERS[4], NDMSG.pack(2, 0, 0, 1, 0x80, 0, 0))
def test_any_bytes(decoder: Callable[[bytes], object], body: bytes) -> None:
    try:
        decoder(body)
    except ValueError:
        return


@given(st.data())
def test_a_route_with_bytes_changed(data: st.DataObject) -> None:
    route = Route(Prefix("10.0.0.0/8"), IfName("eth0"), Address("10.0.0.1"))
    raw = bytearray(encode(AddRoute(route), {IfName("eth0"): 2})[16:])
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode.route(bytes(raw), names)
    except ValueError:
        return


@given(st.binary(max_size=100))
def test_framing_of_any_bytes(raw: bytes) -> None:
    try:
        list(messages(raw))
        attributes(raw, 0)
    except ValueError:
        return


def test_a_link_that_has_gone_takes_its_route() -> None:
    body = RTMSG.pack(2, 0, 0, 0, 254, 3, 0, 1, 0)
    assert decode.route(body, names) is None


def test_lengths_that_lie() -> None:
    with pytest.raises(ValueError, match="attribute of 9 bytes"):
        attributes(b"\x09\0\x01\0abcd", 0)
    with pytest.raises(ValueError, match="message of 17 bytes"):
        list(messages(b"\x11\0\0\0" + bytes(12)))
