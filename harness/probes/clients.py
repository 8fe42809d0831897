"""Probes: one question on the wire and what became of it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from dataclasses import dataclass, replace

from harness.probes import icmp
from harness.probes.identity import Identity, Witness, carries, request, witness_of
from harness.probes.sockets import Origin, open_socket, own_refusal, refusal_from_afar
from harness.scenario.expectations import Outcome, Protocol
from spiderpool.types.address import Address, Family, family_of

_MAX_REPLY = 2048


@dataclass(frozen=True, slots=True)
class Answer:
    """How a probe ended.

    ``source`` and ``port`` are what the kernel chose for the sender (port 0 for ICMP), known
    once there was a route; ``witness`` is what an echo server saw. ``seconds`` counts from
    the sending to the end.
    """

    outcome: Outcome
    detail: str = ""
    source: Address | None = None
    port: int = 0
    witness: Witness | None = None
    seconds: float = 0.0


async def ask(
    protocol: Protocol,
    origin: Origin,
    target: tuple[Address, int],
    identity: Identity,
    patience: float,
) -> Answer:
    """Send one probe to an address and port (0 for ICMP); wait up to ``patience`` seconds.

    Raises:
        ProbeImpossible: the origin's source or device is not there.
    """
    started = time.monotonic()
    with open_socket(origin, family_of(target[0]), *_socket_kind(protocol, target[0])) as sock:
        if (refused := _connect(sock, target)) is not None:
            return refused
        source, port, *_ = sock.getsockname()
        answer = await _converse(protocol, sock, identity, patience)
        return replace(
            answer,
            source=Address(source),
            port=0 if protocol is Protocol.ICMP else port,
            seconds=time.monotonic() - started,
        )


def _socket_kind(protocol: Protocol, target: Address) -> tuple[int, int]:
    if protocol is Protocol.UDP:
        return socket.SOCK_DGRAM, 0
    if protocol is Protocol.TCP:
        return socket.SOCK_STREAM, 0
    is_v4 = family_of(target) is Family.V4
    return socket.SOCK_RAW, socket.IPPROTO_ICMP if is_v4 else socket.IPPROTO_ICMPV6


def _connect(sock: socket.socket, target: tuple[Address, int]) -> Answer | None:
    """The sender's kernel looks for a route now; a refusal of it is the end."""
    code = sock.connect_ex(target)
    if code in (0, errno.EINPROGRESS):
        return None
    return Answer(*own_refusal(OSError(code, os.strerror(code))))


async def _converse(
    protocol: Protocol, sock: socket.socket, identity: Identity, patience: float
) -> Answer:
    talk = {Protocol.ICMP: _ping, Protocol.UDP: _datagram, Protocol.TCP: _stream}[protocol]
    try:
        async with asyncio.timeout(patience):
            return await talk(sock, identity)
    except TimeoutError:
        return Answer(Outcome.TIMEOUT, f"nothing came back in {patience:g} s")
    except OSError as error:
        return Answer(*refusal_from_afar(sock, error))


async def _ping(sock: socket.socket, identity: Identity) -> Answer:
    loop = asyncio.get_running_loop()
    family = Family(sock.family)
    number = int.from_bytes(identity[:2], "big")
    await loop.sock_sendall(sock, icmp.echo_request(family, number, 1, request(identity)))
    while True:
        received = await loop.sock_recv(sock, _MAX_REPLY)
        if (
            carries(identity, received)
            and icmp.type_of(family, received) == icmp.ECHO_REPLY[family]
        ):
            return Answer(Outcome.REPLIED)


async def _datagram(sock: socket.socket, identity: Identity) -> Answer:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, request(identity))
    while True:
        witness = witness_of(identity, await loop.sock_recv(sock, _MAX_REPLY))
        if witness is not None:
            return Answer(Outcome.REPLIED, witness=witness)


async def _stream(sock: socket.socket, identity: Identity) -> Answer:
    """Sending waits until the connection stands; its failure is raised here too."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, request(identity))
    data = b""
    while len(data) < _MAX_REPLY and (more := await loop.sock_recv(sock, _MAX_REPLY)):
        data += more
        witness = witness_of(identity, data)
        if witness is not None:
            return Answer(Outcome.REPLIED, witness=witness)
    return Answer(Outcome.REFUSED, "the connection was closed without an answer")
