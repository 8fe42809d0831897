"""Slow sockets are closed by somebody else."""

from __future__ import annotations

import threading

from spiderpool.netlink.closing import close_aside


class Slow:
    """Its ``close`` ends only when it is allowed to."""

    def __init__(self) -> None:
        self.allowed, self.closed = threading.Event(), threading.Event()

    def close(self) -> None:
        if self.allowed.wait(5):
            self.closed.set()


def test_the_caller_goes_on_before_the_socket_is_closed() -> None:
    slow = Slow()
    close_aside(slow)
    assert not slow.closed.is_set()
    slow.allowed.set()
    assert slow.closed.wait(5)
