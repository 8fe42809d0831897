"""Send one probe and bring back everything that was observed of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.capture.capture import Capture
from harness.capture.frame import Frame
from harness.probes.clients import Answer, ask
from harness.probes.identity import Identity, carries, new_identity
from harness.probes.sockets import Origin
from harness.scenario.expectations import Protocol
from harness.trace.path import RoundTrip, round_trips
from harness.trace.wires import Wires, wires_of
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Address
from spiderpool.types.names import IfName

PATIENCE_SECONDS = 4.0
"""Longer than a kernel needs to give up on a neighbour that is not there: three seconds."""

_LINKS_ONLY = Selection(addresses_of=(), tables=(), neighbours_of=(), rules=False)


@dataclass(frozen=True, slots=True)
class Sending:
    """A probe in which every name has become a place or an address; ``port`` 0 for ICMP."""

    protocol: Protocol
    place: str
    target: Address
    port: int = 0
    source: Address | None = None
    device: IfName | None = None

    def __str__(self) -> str:
        port = f" port {self.port}" if self.port else ""
        return f"{self.protocol} to {self.target}{port}"


@dataclass(frozen=True, slots=True)
class Observation:
    """How a probe ended, the ways that it took, and all frames heard meanwhile anywhere.

    ``trips`` has one entry, or two for TCP: the handshake, then the data; none when no
    packet of the probe was seen.
    """

    sending: Sending
    answer: Answer
    trips: tuple[RoundTrip, ...]
    wires: Wires
    frames: tuple[Frame, ...] = ()


async def observe(
    sending: Sending,
    namespaces: Mapping[str, Namespace],
    capture: Capture,
    wires: Wires,
    patience: float = PATIENCE_SECONDS,
) -> Observation:
    """Send from ``namespaces[sending.place]``; wait for the end, or ``patience`` seconds.

    A packet is in every capture on its way before it reaches its target, so once the answer
    is there, its whole way is, too.

    Raises:
        ProbeImpossible: the source or device is not there.
        CaptureLost: not everything that happened was heard.
    """
    (observation,) = await observe_all([sending], namespaces, capture, wires, patience)
    return observation


async def observe_all(
    sendings: Sequence[Sending],
    namespaces: Mapping[str, Namespace],
    capture: Capture,
    wires: Wires,
    patience: float = PATIENCE_SECONDS,
) -> list[Observation]:
    """As :func:`observe`, all at once, so that silence is waited for once only; each has the
    frames of all."""
    identities = [new_identity() for _ in sendings]
    with capture.recording() as recording:
        asking = (
            ask(one.protocol, _origin(one, namespaces), (one.target, one.port), identity, patience)
            for one, identity in zip(sendings, identities, strict=True)
        )
        keeping_up = asyncio.create_task(recording.keep_up())
        try:
            answers = await asyncio.gather(*asking)
        finally:
            keeping_up.cancel()
        frames = recording.frames()
    return [
        Observation(
            sending, answer, _trips(sending, answer, identity, frames, wires), wires, frames
        )
        for sending, answer, identity in zip(sendings, answers, identities, strict=True)
    ]


def _origin(sending: Sending, namespaces: Mapping[str, Namespace]) -> Origin:
    return Origin(namespaces[sending.place], sending.source, sending.device)


def _trips(
    sending: Sending,
    answer: Answer,
    identity: Identity,
    frames: Sequence[Frame],
    wires: Wires,
) -> tuple[RoundTrip, ...]:
    if sending.protocol is Protocol.TCP:
        return round_trips(frames, identity, wires, (sending.place, answer.port))
    own = [frame for frame in frames if carries(identity, frame.data)]
    return round_trips(own, identity, wires, None)


def read_wires(namespaces: Mapping[str, Namespace], outer: Mapping[str, str], switch: str) -> Wires:
    """How the places are connected now; see :func:`harness.trace.wires.wires_of`.

    Raises:
        OperationFailed: a namespace cannot be read.
    """
    states = {place: dump(namespace, _LINKS_ONLY) for place, namespace in namespaces.items()}
    return wires_of(states, outer, switch)
