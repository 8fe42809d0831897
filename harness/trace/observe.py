"""Send one probe and bring back everything that was observed of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.capture.capture import Capture
from harness.capture.frame import Frame
from harness.probes.clients import Answer, ask
from harness.probes.identity import new_identity
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
    identity = new_identity()
    origin = Origin(namespaces[sending.place], sending.source, sending.device)
    with capture.recording() as recording:
        target = sending.target, sending.port
        answer = await ask(sending.protocol, origin, target, identity, patience)
        frames = recording.frames()
    tcp_from = (sending.place, answer.port) if sending.protocol is Protocol.TCP else None
    trips = round_trips(frames, identity, wires, tcp_from)
    return Observation(sending, answer, trips, wires, frames)


def read_wires(namespaces: Mapping[str, Namespace], outer: Mapping[str, str], switch: str) -> Wires:
    """How the places are connected now; see :func:`harness.trace.wires.wires_of`.

    Raises:
        OperationFailed: a namespace cannot be read.
    """
    states = {place: dump(namespace, _LINKS_ONLY) for place, namespace in namespaces.items()}
    return wires_of(states, outer, switch)
