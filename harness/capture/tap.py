"""One packet socket hears every link of a namespace, in both directions.

A packet socket that is bound to no link hears all of them, those that come later too. It
stays open for the namespace's life: closing one waits 8 to 16 ms for the kernel (RCU).
"""

from __future__ import annotations

import socket

from harness.capture.frame import Frame, Framing, Heard
from harness.capture.ring import Ring
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.namespace import Namespace

_ETH_P_ALL = 0x0003
_ETHERNET_TYPES = (1, 772)
"""ARPHRD_ETHER, ARPHRD_LOOPBACK (linux/if_arp.h)."""


class CaptureLost(SpiderpoolError):
    """Frames were dropped before they were read: what was seen is not all there was."""


class Tap:
    """The capture of one namespace, known as ``place``."""

    def __init__(self, place: str, namespace: Namespace) -> None:
        self.place = place
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        try:
            self._ring = Ring(self._socket)
        except OSError:
            self._socket.close()
            raise

    def drain(self) -> tuple[list[Frame], CaptureLost | None]:
        """What was heard since the last time, in order, and whether more was than had room."""
        frames = [
            Frame(
                seen.nanoseconds,
                self.place,
                seen.link,
                Heard(seen.kind),
                seen.data,
                Framing.ETHERNET if seen.hardware in _ETHERNET_TYPES else Framing.NONE,
            )
            for seen in self._ring.drain()
        ]
        lost = self._ring.lost()
        return frames, CaptureLost(f"{self.place} lost {lost} frames") if lost else None

    def close(self) -> None:
        self._ring.close()
        self._socket.close()
