"""Netlink's framing: messages and attributes as bytes (RFC 3549, linux/netlink.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

HEADER = struct.Struct("=IHHII")
"""Length, type, flags, sequence number, port."""

HEADER_LENGTH = 16
NESTED = 0x8000
_TYPE_MASK = 0x3FFF

_ATTRIBUTE = struct.Struct("=HH")
_ATTRIBUTE_U16 = struct.Struct("=HHHxx")
_ATTRIBUTE_U32 = struct.Struct("=HHI")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


def message(kind: int, flags: int, body: bytes) -> bytes:
    """A message whose sequence number is still 0; the sender fills it in."""
    return HEADER.pack(HEADER_LENGTH + len(body), kind, flags, 0, 0) + body


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    length = 4 + len(payload)
    return _ATTRIBUTE.pack(length, kind) + payload + _PADDING[length & 3]


def u16(kind: int, value: int) -> bytes:
    return _ATTRIBUTE_U16.pack(6, kind, value)


def u32(kind: int, value: int) -> bytes:
    return _ATTRIBUTE_U32.pack(8, kind, value)


def text(kind: int, value: str) -> bytes:
    """A string attribute, closed by a NUL; names of links need not be UTF-8."""
    return attribute(kind, value.encode(errors="surrogateescape") + b"\0")


def as_text(raw: bytes) -> str:
    """The inverse of what :func:`text` puts into an attribute."""
    return raw.rstrip(b"\0").decode(errors="surrogateescape")


def unpack(layout: struct.Struct, body: bytes) -> tuple[int, ...]:
    """The fixed part of a body.

    Raises:
        ValueError: the body is too short for it.
    """
    if len(body) < layout.size:
        raise ValueError(f"netlink body of {len(body)} bytes, at least {layout.size} expected")
    return layout.unpack_from(body)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Attributes inside an attribute."""
    return attribute(kind | NESTED, b"".join(attributes))


def messages(buffer: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence number and body of each message that one receive returned.

    Raises:
        ValueError: a length does not fit the buffer.
    """
    offset, end = 0, len(buffer)
    while offset + HEADER_LENGTH <= end:
        length, kind, flags, sequence, _ = HEADER.unpack_from(buffer, offset)
        if length < HEADER_LENGTH or offset + length > end:
            raise ValueError(f"netlink message of {length} bytes in {end - offset} received")
        yield kind, flags, sequence, buffer[offset + HEADER_LENGTH : offset + length]
        offset += (length + 3) & ~3


def attributes(body: bytes, offset: int, until: int = -1) -> dict[int, bytes]:
    """Attributes of ``body`` from ``offset`` on; of a repeated type the last one stays.

    Reading stops behind the first attribute of type ``until``.

    Raises:
        ValueError: a length does not fit the body.
    """
    found: dict[int, bytes] = {}
    end = len(body)
    while offset + 4 <= end and until not in found:
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < 4 or offset + length > end:
            raise ValueError(f"netlink attribute of {length} bytes in {end - offset} received")
        found[kind & _TYPE_MASK] = body[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found
