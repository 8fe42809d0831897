"""Capture: one packet socket for each namespace hears every link of it, in both directions.

A packet socket that is bound to no link hears all of them, those that come later too. It
stays open for the namespace's life: closing one waits 8 to 16 ms for the kernel (RCU).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter

from harness.capture.frame import Frame, Framing, Heard
from harness.capture.ring import Ring
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.namespace import Namespace

_ETH_P_ALL = 0x0003
_ETHERNET_TYPES = (1, 772)
"""ARPHRD_ETHER, ARPHRD_LOOPBACK (linux/if_arp.h)."""

_CLOSERS = 16


class CaptureLost(SpiderpoolError):
    """Frames were dropped before they were read: what was seen is not all there was."""


class Tap:
    """The capture of one namespace, known as ``place``."""

    def __init__(self, place: str, namespace: Namespace) -> None:
        self.place = place
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._ring = Ring(self._socket)

    def drain(self) -> Iterator[Frame]:
        """What was heard since the last time, in order.

        Raises:
            CaptureLost: more was heard than there was room for.
        """
        for seen in self._ring.drain():
            framing = Framing.ETHERNET if seen.hardware in _ETHERNET_TYPES else Framing.NONE
            kind = Heard(seen.kind)
            yield Frame(seen.nanoseconds, self.place, seen.link, kind, seen.data, framing)
        if lost := self._ring.lost():
            raise CaptureLost(f"the capture in {self.place} lost {lost} frames")

    def discard(self) -> None:
        """Forget what was heard until now."""
        for _ in self._ring.drain():
            pass
        self._ring.lost()

    def close(self) -> None:
        self._ring.close()
        self._socket.close()


class Taps:
    """The captures of all namespaces of a run."""

    def __init__(self) -> None:
        self._taps: dict[str, Tap] = {}

    def open(self, place: str, namespace: Namespace) -> None:
        """Hear everything in ``namespace`` from now on."""
        self._taps[place] = Tap(place, namespace)

    def forget(self, place: str) -> None:
        """Stop hearing a namespace that ends; takes as long as the kernel wants."""
        if (tap := self._taps.pop(place, None)) is not None:
            tap.close()

    def __contains__(self, place: object) -> bool:
        return place in self._taps

    def drain(self) -> list[Frame]:
        """What was heard anywhere since the last time, by the kernel's clock.

        Raises:
            CaptureLost: some queue had overflowed.
        """
        frames = [frame for tap in self._taps.values() for frame in tap.drain()]
        return sorted(frames, key=attrgetter("nanoseconds"))

    def discard(self) -> None:
        """Forget what was heard until now, and what was lost."""
        for tap in self._taps.values():
            tap.discard()

    def close(self) -> None:
        """Close all; side by side they share the kernel's waiting time."""
        with ThreadPoolExecutor(_CLOSERS) as pool:
            list(pool.map(Tap.close, self._taps.values()))
        self._taps.clear()
