"""A packet socket's memory-mapped ring (TPACKET_V2, linux/if_packet.h).

The kernel stamps each frame as it arrives. Without a ring, the first frames after a socket
asked for timestamps get the time at which they are read, as the kernel turns stamping on
in the background.
"""

from __future__ import annotations

import fcntl
import mmap
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SOL_PACKET = 263
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 5, 6, 10
_TPACKET_V2 = 1
_SIOCGIFNAME = 0x8910

_REQUEST = struct.Struct("=IIII")
_STATISTICS = struct.Struct("=II")
_STATUS = struct.Struct("=I")
_HEADER = struct.Struct("=IIIHHII")
"""``tpacket2_hdr`` up to its nanoseconds: status, length, kept, mac, net, seconds, nanoseconds."""
_ADDRESS = struct.Struct("=HHiHBB")
"""``sockaddr_ll``: family, protocol, index, hardware type, packet type, address length."""
_ADDRESS_AT = 32
_INTERFACE = struct.Struct("=16si20x")

_KERNEL, _USER = 0, 1
_SLOT = 2048
_BLOCK = 1 << 16
_BLOCKS = 16
_SLOTS = _BLOCK * _BLOCKS // _SLOT


@dataclass(frozen=True, slots=True)
class Captured:
    """One frame of the ring, cut at 2 KB. ``hardware`` is an ARPHRD number."""

    nanoseconds: int
    link: str
    hardware: int
    kind: int
    data: bytes


class Ring:
    """The ring of ``packet_socket``; keeps 512 frames between two calls of :meth:`drain`."""

    def __init__(self, packet_socket: socket.socket) -> None:
        self._socket = packet_socket
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        request = _REQUEST.pack(_BLOCK, _BLOCKS, _SLOT, _SLOTS)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, request)
        self._memory = mmap.mmap(self._socket.fileno(), _BLOCK * _BLOCKS)
        self._names: dict[int, str] = {}
        self._next = 0

    def drain(self) -> Iterator[Captured]:
        """What came since the last call, in order."""
        while True:
            at = self._next * _SLOT
            status, _, kept, mac, _, seconds, nanoseconds = _HEADER.unpack_from(self._memory, at)
            if not status & _USER:
                return
            _, _, index, hardware, kind, _ = _ADDRESS.unpack_from(self._memory, at + _ADDRESS_AT)
            data = self._memory[at + mac : at + mac + kept]
            _STATUS.pack_into(self._memory, at, _KERNEL)
            self._next = (self._next + 1) % _SLOTS
            moment = seconds * 1_000_000_000 + nanoseconds
            yield Captured(moment, self._name_of(index), hardware, kind, data)

    def lost(self) -> int:
        """How many frames found the ring full since the last call."""
        raw = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        _, dropped = _STATISTICS.unpack(raw)
        return int(dropped)

    def close(self) -> None:
        self._memory.close()

    def _name_of(self, index: int) -> str:
        """The link's name; empty when it went before anyone asked."""
        if index not in self._names:
            try:
                raw = fcntl.ioctl(self._socket, _SIOCGIFNAME, _INTERFACE.pack(b"", index))
            except OSError:
                return ""
            self._names[index] = raw[:16].rstrip(b"\0").decode()
        return self._names[index]
