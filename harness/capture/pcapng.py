"""Frames as a pcapng file (draft-ietf-opsawg-pcapng), with a comment on each packet.

Every link of every place is an interface of its own, named ``place/link``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from harness.capture.frame import Frame, Framing

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_LINKTYPE = {Framing.ETHERNET: 1, Framing.NONE: 101}
_OPT_END, _OPT_COMMENT, _IF_NAME, _IF_TSRESOL, _EPB_FLAGS = 0, 1, 2, 9, 2
_NANOSECONDS = b"\x09"
_INBOUND, _OUTBOUND = 1, 2


def pcapng(frames: Sequence[Frame], comment: str) -> Iterator[bytes]:
    """The blocks of a file; ``comment`` goes on each packet, like a verdict's sentence."""
    yield _block(_SECTION, struct.pack("=IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1))
    interfaces: dict[tuple[str, str], int] = {}
    for frame in frames:
        key = frame.place, frame.link
        if key not in interfaces:
            interfaces[key] = len(interfaces)
            yield _interface(frame)
        yield _packet(frame, interfaces[key], comment)


def _interface(frame: Frame) -> bytes:
    options = _option(_IF_NAME, f"{frame.place}/{frame.link}".encode())
    options += _option(_IF_TSRESOL, _NANOSECONDS) + _option(_OPT_END, b"")
    return _block(_INTERFACE, struct.pack("=HHI", _LINKTYPE[frame.framing], 0, 0) + options)


def _packet(frame: Frame, interface: int, comment: str) -> bytes:
    data = frame.on_the_wire
    high, low, length = frame.nanoseconds >> 32, frame.nanoseconds & 0xFFFFFFFF, len(data)
    flags = struct.pack("=I", _OUTBOUND if frame.outgoing else _INBOUND)
    options = _option(_EPB_FLAGS, flags) + _option(_OPT_COMMENT, comment.encode())
    head = struct.pack("=IIIII", interface, high, low, length, length)
    return _block(_PACKET, head + _padded(data) + options + _option(_OPT_END, b""))


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + _padded(value)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("=I", len(body) + 12)
    return struct.pack("=I", kind) + length + body + length


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
