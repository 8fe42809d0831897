"""The ears of a run: every namespace is heard, and any number of recordings listen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType

from harness.capture.frame import Frame, Heard
from harness.capture.stamps import stamping_socket
from harness.capture.tap import CaptureLost, Tap
from spiderpool.netlink.namespace import Namespace

KEEP_UP_SECONDS = 0.05
_CLOSERS = 50
"""Closing a packet socket waits 8 to 16 ms for the kernel; waits side by side share it."""


class Recording:
    """What is heard anywhere between the beginning and the end of a recording."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._frames: list[Frame] = []
        self._losses: list[CaptureLost] = []

    def frames(self) -> tuple[Frame, ...]:
        """All frames up to now, by the kernel's clock.

        A frame for another MAC is stamped once and heard twice: first by the NIC that it
        came in by, then by the macvlan link on it.

        Raises:
            CaptureLost: some went unheard.
        """
        self._capture.drain()
        for loss in self._losses:
            raise loss
        return tuple(sorted(self._frames, key=_moment))

    async def keep_up(self) -> None:
        """Read what is heard again and again until cancelled: sockets have room for a moment of
        a busy node's frames, not for the seconds that a silence is waited for."""
        while True:
            await asyncio.sleep(KEEP_UP_SECONDS)
            self._capture.drain()

    def take(self, frames: list[Frame], loss: CaptureLost | None) -> None:
        self._frames += frames
        self._losses += [loss] if loss else []


def _moment(frame: Frame) -> tuple[int, bool]:
    return frame.nanoseconds, frame.heard is Heard.HOST


class Capture:
    """Hears the places that were added. A tap keeps its namespace alive until it is removed."""

    def __init__(self) -> None:
        """Raises NoStamps when the order of frames could not be known."""
        self._stamping = stamping_socket()
        self._taps: dict[str, Tap] = {}
        self._recordings: list[Recording] = []
        self._closers = ThreadPoolExecutor(_CLOSERS, "close-tap")

    def add(self, place: str, namespace: Namespace) -> None:
        """Hear all links of ``namespace``, those that come later too, as ``place``.

        Raises:
            ValueError: that place is heard already.
        """
        if place in self._taps:
            raise ValueError(f"{place} is heard already")
        self._taps[place] = Tap(place, namespace)

    def remove(self, place: str) -> None:
        """Stop hearing a place, if it is heard; recordings keep what they have of it."""
        tap = self._taps.pop(place, None)
        if tap is not None:
            self._hand_out(tap)
            self._closers.submit(tap.close)

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(self._taps)

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Listen from now on."""
        self.drain()
        recording = Recording(self)
        self._recordings.append(recording)
        try:
            yield recording
        finally:
            self._recordings.remove(recording)

    def drain(self) -> None:
        """Hand what was heard to the recordings; without any, forget it."""
        for tap in self._taps.values():
            self._hand_out(tap)

    def close(self) -> None:
        """Stop hearing; returns once every socket is closed."""
        for tap in self._taps.values():
            self._closers.submit(tap.close)
        self._taps.clear()
        self._closers.shutdown()
        self._stamping.close()

    def _hand_out(self, tap: Tap) -> None:
        frames, loss = tap.drain()
        for recording in self._recordings:
            recording.take(frames, loss)

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
