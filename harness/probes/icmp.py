"""ICMP and ICMPv6 messages as bytes (RFC 792, RFC 4443)."""

from __future__ import annotations

import struct

from harness.scenario.expectations import Outcome
from spiderpool.types.address import Family

ECHO_REQUEST = {Family.V4: 8, Family.V6: 128}
ECHO_REPLY = {Family.V4: 0, Family.V6: 129}
DESTINATION_UNREACHABLE = {Family.V4: 3, Family.V6: 1}
TIME_EXCEEDED = {Family.V4: 11, Family.V6: 3}

HEADER = struct.Struct(">BBHHH")
"""Type, code, checksum, identifier, sequence; errors quote a packet behind it."""

_PORT_CODE = {Family.V4: 3, Family.V6: 4}
_PROHIBITED_CODES = {Family.V4: (9, 10, 13), Family.V6: (1, 5, 6)}
_CODE_NAMES = {
    Family.V4: {0: "network unreachable", 1: "host unreachable", 3: "port unreachable"},
    Family.V6: {0: "no route", 3: "address unreachable", 4: "port unreachable"},
}


def echo_request(family: Family, number: int, sequence: int, payload: bytes) -> bytes:
    """A whole message; for IPv6 the kernel fills in the checksum (RFC 3542, section 3.1)."""
    kind = ECHO_REQUEST[family]
    blank = HEADER.pack(kind, 0, 0, number, sequence) + payload
    if family is Family.V6:
        return blank
    return HEADER.pack(kind, 0, checksum(blank), number, sequence) + payload


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def type_of(family: Family, received: bytes) -> int | None:
    """The type of what a raw socket got: behind the IP header for IPv4, alone for IPv6."""
    offset = (received[0] & 0x0F) * 4 if family is Family.V4 and received else 0
    return received[offset] if len(received) >= offset + HEADER.size else None


def failure(family: Family, kind: int, code: int) -> tuple[Outcome, str]:
    """What an error message of that type and code says about the packet that it quotes."""
    if kind == TIME_EXCEEDED[family]:
        return Outcome.UNREACHABLE, "time to live exceeded"
    if kind != DESTINATION_UNREACHABLE[family]:
        return Outcome.UNREACHABLE, f"ICMP type {kind}, code {code}"
    if code in _PROHIBITED_CODES[family]:
        return Outcome.PROHIBITED, "administratively prohibited"
    detail = _CODE_NAMES[family].get(code, f"unreachable, code {code}")
    return (Outcome.REFUSED if code == _PORT_CODE[family] else Outcome.UNREACHABLE), detail
