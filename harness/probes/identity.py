"""The identity of a probe, which every packet of its payload carries, through any NAT.

::

    request     identity (16 bytes)  ?  newline
    reply       identity (16 bytes)  !  source-address source-port server-name  newline

An ICMP echo carries the request in both directions, as the kernel answers it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import NewType

from spiderpool.types.address import Address

Identity = NewType("Identity", bytes)
"""16 random bytes without a newline."""

LENGTH = 16
_QUESTION, _ANSWER, _END = b"?", b"!", b"\n"


@dataclass(frozen=True, slots=True)
class Witness:
    """What an echo server saw: who asked, and its own name."""

    source: Address
    port: int
    server: str


def new_identity() -> Identity:
    """An identity that no other probe has."""
    return Identity(secrets.token_bytes(LENGTH).replace(_END, b"\x0b"))


def request(identity: Identity) -> bytes:
    return identity + _QUESTION + _END


def identity_of(data: bytes) -> Identity | None:
    """The identity, when ``data`` is a whole request."""
    is_request = len(data) == LENGTH + 2 and data[LENGTH:] == _QUESTION + _END
    return Identity(data[:LENGTH]) if is_request else None


def reply(identity: Identity, witness: Witness) -> bytes:
    text = f" {witness.source} {witness.port} {witness.server}".encode()
    return identity + _ANSWER + text + _END


def witness_of(identity: Identity, data: bytes) -> Witness | None:
    """What the server says, when ``data`` is a whole reply to that identity."""
    if data[: LENGTH + 1] != identity + _ANSWER or data[-1:] != _END:
        return None
    source, port, server = data[LENGTH + 1 : -1].decode().split(maxsplit=2)
    return Witness(Address(source), int(port), server)


def carries(identity: Identity, data: bytes) -> bool:
    """Whether a packet belongs to that probe; ICMP errors do, as they quote it."""
    return data.find(identity) >= 0


def is_reply(identity: Identity, data: bytes) -> bool:
    """Whether a packet with this identity travels from a server to its client (UDP, TCP)."""
    return identity + _ANSWER in data
