"""Closing sockets that the kernel lets go slowly.

In close(2) of a packet socket (``packet_release``), and of a nfnetlink socket after a change
(``nft_rcv_nl_event``), the caller sleeps until no CPU can be using what goes away, an RCU
grace period of 5 to 20 ms. Neither a pod's start nor an event loop shall wait for that.
"""

from __future__ import annotations

import threading
from typing import Protocol


class Closable(Protocol):
    def close(self) -> None: ...


def close_aside(slow: Closable) -> None:
    """Close it in a thread of its own, and do not wait."""
    threading.Thread(target=slow.close).start()
