"""One frame as one link of one namespace saw it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Heard(enum.IntEnum):
    """``sll_pkttype`` (linux/if_packet.h): whom a frame is for, or that it goes out."""

    HOST = 0
    BROADCAST = 1
    MULTICAST = 2
    OTHER_HOST = 3
    OUTGOING = 4
    LOOPBACK = 5


class Framing(enum.IntEnum):
    """Bytes of link-layer header before the network layer."""

    NONE = 0
    ETHERNET = 14


@dataclass(frozen=True, slots=True)
class Frame:
    """``nanoseconds`` is the kernel's time since the epoch; ``data`` may be cut at the end."""

    nanoseconds: int
    place: str
    link: str
    heard: Heard
    data: bytes
    framing: Framing = Framing.ETHERNET

    @property
    def outgoing(self) -> bool:
        return self.heard is Heard.OUTGOING
