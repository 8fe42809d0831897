"""Headers are read from bytes; what is none of ours is left alone."""

from __future__ import annotations

import socket
import struct

import pytest

from harness.capture.frame import Frame, Framing, Heard
from harness.capture.packet import (
    Packet,
    TcpHeader,
    neighbour_answered_for,
    neighbour_asked_for,
    packet_of,
)
from spiderpool.types.address import Address, Family

V4 = "10.1.0.2", "10.2.0.2"
V6 = "fd01::2", "fd02::2"
UDP = struct.pack(">HHHH", 4000, 53, 8, 0)
TCP = struct.pack(">HHIIBBHHH", 4000, 53, 77, 88, 0x50, 0x12, 0, 0, 0)


def ipv4(protocol: int, payload: bytes, *, fragment: int = 0, options: bytes = b"") -> bytes:
    first = 0x45 + len(options) // 4
    head = struct.pack(">BBHHHBBH", first, 0, 0, 1, fragment, 64, protocol, 0)
    return head + b"".join(map(socket.inet_aton, V4)) + options + payload


def ipv6(protocol: int, payload: bytes) -> bytes:
    ends = b"".join(socket.inet_pton(socket.AF_INET6, end) for end in V6)
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + ends + payload


def read(data: bytes, kind: int | None = 0x0800) -> Packet | None:
    """``kind`` None: without an Ethernet header."""
    if kind is None:
        return packet_of(Frame(0, "web", "tun0", Heard.HOST, data, Framing.NONE))
    header = bytes(12) + struct.pack(">H", kind)
    return packet_of(Frame(0, "web", "eth0", Heard.HOST, header + data))


UDP4 = Packet(Family.V4, Address(V4[0]), Address(V4[1]), 17, (4000, 53))
UDP6 = Packet(Family.V6, Address(V6[0]), Address(V6[1]), 17, (4000, 53))


def test_datagrams_of_both_families() -> None:
    assert read(ipv4(17, UDP)) == UDP4
    assert read(ipv4(17, UDP, options=bytes(4))) == UDP4
    assert read(ipv6(17, UDP), 0x86DD) == UDP6


def test_links_without_a_header_of_their_own() -> None:
    assert read(ipv4(17, UDP), None) == UDP4
    assert read(ipv6(17, UDP), None) == UDP6


def test_segments_and_messages() -> None:
    segment = read(ipv4(6, TCP))
    assert segment is not None
    assert (segment.ports, segment.tcp) == ((4000, 53), TcpHeader(77, 88, 0x12))
    for found in (read(ipv4(1, bytes((8, 0)))), read(ipv6(58, bytes((8, 0))), 0x86DD)):
        assert found is not None
        assert (found.icmp_type, found.ports) == (8, None)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", 0x0800),
        (ipv4(17, UDP)[:19], 0x0800),
        (ipv4(17, UDP[:3]), 0x0800),
        (ipv4(6, TCP[:8]), 0x0800),
        (ipv4(1, b""), 0x0800),
        (ipv4(17, UDP, fragment=185), 0x0800),
        (ipv6(17, UDP)[:39], 0x86DD),
        (ipv4(47, UDP), 0x0800),
        (ipv4(17, UDP), 0x0806),
        (b"", None),
        (b"\xf0" * 60, None),
    ],
)
def test_everything_else_is_no_packet(data: bytes, kind: int | None) -> None:
    assert read(data, kind) is None


def frame(kind: int, data: bytes, framing: Framing = Framing.ETHERNET) -> Frame:
    return Frame(
        0, "web", "eth0", Heard.OUTGOING, bytes(12) + struct.pack(">H", kind) + data, framing
    )


def arp(operation: int) -> bytes:
    mac, (source, target) = bytes(6), map(socket.inet_aton, V4)
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + mac + source + mac + target


def ndp(kind: int) -> bytes:
    return struct.pack(">BBHI", kind, 0, 0, 0) + socket.inet_pton(socket.AF_INET6, V6[1])


def test_a_question_for_a_neighbour_names_whom_it_asks_for() -> None:
    for question in (frame(0x0806, arp(1)), frame(0x86DD, ipv6(58, ndp(135)))):
        assert neighbour_asked_for(question) in (V4[1], V6[1])
        assert neighbour_answered_for(question) is None


def test_an_answer_names_whom_it_is_for() -> None:
    assert neighbour_answered_for(frame(0x0806, arp(2))) == V4[0]
    assert neighbour_answered_for(frame(0x86DD, ipv6(58, ndp(136)))) == V6[1]
    assert neighbour_asked_for(frame(0x0806, arp(2))) is None
    assert neighbour_asked_for(frame(0x86DD, ipv6(58, ndp(136)))) is None


def test_other_frames_are_about_no_neighbour() -> None:
    for other in (
        frame(0x0806, arp(1)[:20]),
        frame(0x86DD, ipv6(58, bytes([135]))),
        frame(0x86DD, ipv6(17, ndp(135))),
        frame(0x0800, ipv4(17, UDP)),
        frame(0x0806, arp(1), Framing.NONE),
    ):
        assert neighbour_asked_for(other) is None
        assert neighbour_answered_for(other) is None
