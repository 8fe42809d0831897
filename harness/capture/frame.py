"""One frame as one link of one namespace saw it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

_VLAN_ID = 0x0FFF
_MACS = 12


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
    """``nanoseconds`` is the kernel's time since the epoch; ``data`` may be cut at the end.

    ``tag`` is the VLAN tag (IEEE 802.1Q: TPID, then TCI), which the kernel takes out of the data.
    """

    nanoseconds: int
    place: str
    link: str
    heard: Heard
    data: bytes
    framing: Framing = Framing.ETHERNET
    tag: bytes = b""

    @property
    def outgoing(self) -> bool:
        return self.heard is Heard.OUTGOING

    @property
    def vlan(self) -> int | None:
        """The VLAN that the tag names."""
        return int.from_bytes(self.tag[2:]) & _VLAN_ID if self.tag else None

    @property
    def on_the_wire(self) -> bytes:
        """With the tag where it was, behind the two MACs."""
        return self.data[:_MACS] + self.tag + self.data[_MACS:]
