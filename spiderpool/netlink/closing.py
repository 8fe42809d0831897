"""Closing sockets that the kernel lets go slowly.

In close(2) of a packet socket (``packet_release``), and of a nfnetlink socket after a change
(``nft_rcv_nl_event``), the caller sleeps until no CPU can be using what goes away, an RCU
grace period of 5 to 20 ms. Neither a pod's start nor an event loop shall wait for that.
"""

from __future__ import annotations

import _thread
from typing import Protocol


class Closable(Protocol):
    def close(self) -> None: ...


def close_aside(slow: Closable) -> None:
    """Close it in a thread of its own, and do not wait: not even, as ``threading.Thread.start``
    does, for the thread to run, which costs four times as much and far more on a busy machine."""
    _thread.start_new_thread(slow.close, ())
