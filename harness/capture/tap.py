"""One packet socket hears every link of a namespace, in both directions.

A packet socket that is bound to no link hears all of them, those that come later too. It
stays open for the namespace's life: closing one waits 8 to 16 ms for the kernel (RCU), and so
does giving it a memory-mapped ring, so frames are read one by one.
"""

from __future__ import annotations

import contextlib
import socket
import struct

from harness.capture.frame import Frame, Framing, Heard
from harness.capture.stamps import ask_for_stamps, stamp_of
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.namespace import Namespace

_ETH_P_ALL = 0x0003
_SO_RCVBUFFORCE = 33
_SOL_PACKET, _PACKET_STATISTICS, _PACKET_AUXDATA = 263, 6, 8
_STATISTICS = struct.Struct("=II")
_AUXDATA = struct.Struct("=IIIHHHH")
_TAGGED = 1 << 4
"""TP_STATUS_VLAN_VALID of ``struct tpacket_auxdata`` (linux/if_packet.h)."""

_ETHERNET_TYPES = (1, 772)
"""ARPHRD_ETHER, ARPHRD_LOOPBACK (linux/if_arp.h)."""

_ROOM = 2 << 20
"""Bytes, for some thousand frames between two readings."""

_LONGEST = 1 << 16
_CONTROL = 128
"""Bytes for a time stamp and what is beside the data."""


class CaptureLost(SpiderpoolError):
    """Frames were dropped before they were read: what was seen is not all there was."""


class Tap:
    """The capture of one namespace, known as ``place``; see :func:`stamping_socket`."""

    def __init__(self, place: str, namespace: Namespace) -> None:
        self.place = place
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._socket.setblocking(False)
        ask_for_stamps(self._socket)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        with contextlib.suppress(PermissionError):  # in a user namespace: the usual room
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)

    def drain(self) -> tuple[list[Frame], CaptureLost | None]:
        """What was heard since the last time, in order, and whether more was than had room."""
        frames = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, address = self._socket.recvmsg(_LONGEST, _CONTROL)
                link, _, kind, hardware, _ = address
                framing = Framing.ETHERNET if hardware in _ETHERNET_TYPES else Framing.NONE
                moment = stamp_of(ancillary)
                tag = _tag_of(ancillary)
                frames.append(Frame(moment, self.place, link, Heard(kind), data, framing, tag))
        return frames, self._loss()

    def _loss(self) -> CaptureLost | None:
        """The kernel counts from one question to the next."""
        size = _STATISTICS.size
        raw = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, size)
        _, dropped = _STATISTICS.unpack(raw)
        return CaptureLost(f"{self.place} lost {dropped} frames") if dropped else None

    def close(self) -> None:
        self._socket.close()


def _tag_of(ancillary: list[tuple[int, int, bytes]]) -> bytes:
    """The VLAN tag, which the kernel takes out of the data (packet(7), PACKET_AUXDATA)."""
    for level, kind, data in ancillary:
        if (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = _AUXDATA.unpack(data)
            return struct.pack(">HH", tpid, tci) if status & _TAGGED else b""
    return b""
