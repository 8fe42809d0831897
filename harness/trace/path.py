"""From frames to the way that a probe took, and that its answer took. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.capture.frame import Frame, Heard
from harness.capture.packet import Packet, TcpHeader, packet_of
from harness.probes import icmp
from harness.probes.identity import Identity, carries, is_reply
from harness.trace.wires import Nic, Wires


class Role(enum.Enum):
    """What a packet is to a probe."""

    REQUEST = "request"
    REPLY = "reply"
    ERROR = "error"
    HANDSHAKE = "handshake"
    HANDSHAKE_REPLY = "handshake reply"


@dataclass(frozen=True, slots=True)
class Hop:
    """A packet crossing one NIC, outgoing or incoming, with the addresses that it then had, and
    the VLAN that the frame was tagged with."""

    nic: Nic
    outgoing: bool
    packet: Packet
    heard: Heard = Heard.HOST
    vlan: int | None = None

    def __str__(self) -> str:
        return f"{self.nic} {'out' if self.outgoing else 'in'}"


Leg = tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One exchange of a probe: what was asked, what was answered, which errors came."""

    what: str
    request: Leg
    reply: Leg
    errors: Leg = ()


def round_trips(
    frames: Sequence[Frame], identity: Identity, wires: Wires, tcp_from: tuple[str, int] | None
) -> tuple[RoundTrip, ...]:
    """The exchanges of one probe, found by its identity.

    ``tcp_from`` is the sender's place and port for a TCP probe: the packets of its
    handshake have no identity, but the sequence number that no translation changes.
    """
    legs = _legs(frames, identity, _first_sequence(frames, tcp_from) if tcp_from else None, wires)
    trips = [
        RoundTrip("handshake", legs[Role.HANDSHAKE], legs[Role.HANDSHAKE_REPLY])
        if tcp_from
        else None,
        RoundTrip("data", legs[Role.REQUEST], legs[Role.REPLY], legs[Role.ERROR]),
    ]
    return tuple(trip for trip in trips if trip and (trip.request or trip.reply or trip.errors))


def _legs(
    frames: Sequence[Frame], identity: Identity, sequence: int | None, wires: Wires
) -> dict[Role, Leg]:
    hops: dict[Role, list[Hop]] = {role: [] for role in Role}
    for frame in frames:
        packet = packet_of(frame)
        role = _role(packet, frame, identity, sequence) if packet else None
        if packet and role:
            nic = Nic(frame.place, frame.link)
            hops[role].append(Hop(nic, frame.outgoing, packet, frame.heard, frame.vlan))
    return {
        role: _without_turns(_without_copies(_first_attempt(found), wires), wires)
        for role, found in hops.items()
    }


def _role(packet: Packet, frame: Frame, identity: Identity, sequence: int | None) -> Role | None:
    if carries(identity, frame.data):
        if packet.icmp_type is None:
            return Role.REPLY if is_reply(identity, frame.data) else Role.REQUEST
        return {
            icmp.ECHO_REQUEST[packet.family]: Role.REQUEST,
            icmp.ECHO_REPLY[packet.family]: Role.REPLY,
        }.get(packet.icmp_type, Role.ERROR)
    return _handshake_role(packet.tcp, sequence) if packet.tcp and sequence is not None else None


def _handshake_role(header: TcpHeader, sequence: int) -> Role | None:
    opens = header.flags & (TcpHeader.SYN | TcpHeader.ACK) == TcpHeader.SYN
    answers = header.flags & (TcpHeader.SYN | TcpHeader.RST)
    if opens and header.sequence == sequence:
        return Role.HANDSHAKE
    if answers and header.acknowledged == (sequence + 1) % (1 << 32):
        return Role.HANDSHAKE_REPLY
    return None


def _first_sequence(frames: Sequence[Frame], tcp_from: tuple[str, int]) -> int | None:
    """The sequence number of the sender's SYN."""
    place, port = tcp_from
    for frame in frames:
        packet = packet_of(frame) if frame.place == place and frame.outgoing else None
        if packet and packet.tcp and packet.ports and packet.ports[0] == port:
            return packet.tcp.sequence
    return None


def _first_attempt(hops: list[Hop]) -> list[Hop]:
    """Without what was sent again: a packet that starts anew is another attempt."""
    for index, hop in enumerate(hops[1:], 1):
        if (hop.nic, hop.outgoing) == (hops[0].nic, hops[0].outgoing):
            return hops[:index]
    return hops


def _without_copies(hops: list[Hop], wires: Wires) -> Leg:
    """Without what a switch that did not know the target's port sent to the other ports."""
    stray: set[Nic] = set()
    for index in reversed(range(len(hops))):
        later = [hop for hop in hops[index + 1 :] if hop.nic not in stray]
        if _is_stray(hops[index], later, wires):
            stray.add(hops[index].nic)
    towards_stray = {wires.peers[nic] for nic in stray if nic in wires.peers}
    return tuple(
        hop
        for hop in hops
        if not (hop.nic in stray and not hop.outgoing)
        and not (hop.nic in towards_stray and hop.outgoing)
    )


def _is_stray(hop: Hop, later: Sequence[Hop], wires: Wires) -> bool:
    """Whether a frame ends here that is for another host. A bond takes the frames of some members
    only, all of which have its MAC: its own copy follows that of the member, at the same time."""
    if hop.outgoing:
        return False
    if bond := wires.bonds.get(hop.nic):
        following = next((each.nic for each in later if each.nic.place == hop.nic.place), None)
        return following != bond
    return hop.heard is Heard.OTHER_HOST and not _goes_on(hop, later, wires)


def _without_turns(leg: Leg, wires: Wires) -> Leg:
    """Without the parent that two macvlan links share: what goes from one to the other shows
    there as if it had come in, in both directions."""
    around = zip((None, *leg), leg, (*leg[1:], None), strict=False)
    return tuple(
        hop
        for before, hop, after in around
        if not (
            before is not None
            and after is not None
            and before.outgoing
            and not after.outgoing
            and wires.stands_on(before.nic, hop.nic)
            and wires.stands_on(after.nic, hop.nic)
        )
    )


def _goes_on(hop: Hop, later: Iterable[Hop], wires: Wires) -> bool:
    """Whether a frame for another MAC was passed on here: by a bridge, or to a link upon this."""
    return any(
        following.nic.place == hop.nic.place
        if following.outgoing
        else wires.stands_on(following.nic, hop.nic)
        for following in later
    )


def visible(leg: Leg, wires: Wires) -> tuple[Nic, ...]:
    """The NICs of a leg as people name a path: without carriers, each once in a row."""
    nics = (hop.nic for hop in leg if hop.nic not in wires.carriers)
    return tuple(nic for nic, _ in groupby(nics))


def first_difference(trip: RoundTrip) -> tuple[Hop | None, Hop | None] | None:
    """Where the reply leaves the way of the request, seen from the answering side.

    The hop that the reply should have crossed and the one that it did; None of either when
    a leg ends early; None at all for a reply that took exactly the same way.
    """
    way_back = [_turned(hop) for hop in reversed(trip.request)]
    for wanted, taken in _side_by_side(way_back, trip.reply, _same_crossing):
        return wanted, taken
    return None


def _turned(hop: Hop) -> Hop:
    return Hop(hop.nic, not hop.outgoing, hop.packet)


def _same_crossing(one: Hop, other: Hop) -> bool:
    return (one.nic, one.outgoing) == (other.nic, other.outgoing)


def _side_by_side(
    wanted: Sequence[Hop], taken: Sequence[Hop], same: Callable[[Hop, Hop], bool]
) -> Iterator[tuple[Hop | None, Hop | None]]:
    """The pairs that differ, the shorter side filled up with None."""
    for index in range(max(len(wanted), len(taken))):
        one = wanted[index] if index < len(wanted) else None
        other = taken[index] if index < len(taken) else None
        if one is None or other is None or not same(one, other):
            yield one, other
