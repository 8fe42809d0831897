"""The course of a probe: the NICs that its packets were seen to cross, and what the kernel
says about each decision on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import groupby

from harness.capture.packet import neighbour_answered_for, neighbour_asked_for
from harness.diff.ways import Way, ways
from harness.scenario.expectations import Outcome
from harness.trace.explain import Decision, decisions
from harness.trace.observe import Observation, Sending
from harness.trace.path import RoundTrip
from harness.trace.wires import Nic
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address


@dataclass(frozen=True, slots=True)
class Choice:
    """``seen``: the link by which the ``what`` (request or reply) was seen to leave ``place``,
    or by which the place was seen to ask for the MAC of the next hop; empty: neither."""

    what: str
    place: str
    seen: str
    model: Way

    @property
    def agrees(self) -> bool:
        """Whether the kernel's own lookup says what was seen."""
        return self.seen == self.model.nic or self.seen in self.model.equals

    def __str__(self) -> str:
        return f"{self.what} in {self.place}: {self.model}"


@dataclass(frozen=True, slots=True)
class Course:
    """How a probe ended; ``request`` and ``reply`` are the NICs that it was seen at, in order,
    like ``pod.eth0``.

    ``rivals`` and ``reply_rivals`` are the NICs that tell their MAC for the address that the
    packet goes to; whose is used is chance.
    """

    outcome: Outcome
    detail: str = ""
    request: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    rivals: tuple[str, ...] = ()
    reply_rivals: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return all(choice.agrees for choice in self.choices)

    def is_like(self, other: Course) -> bool:
        """The same NICs in both directions, and an answer to both or neither. Kernels limit how
        often they say why there is none, and choose by chance between routes that are equal."""
        return self._essence == other._essence or self._parts_by_chance(other)

    def _parts_by_chance(self, other: Course) -> bool:
        """Whether the first decision that differs was between the same equal routes."""
        for mine, theirs in zip(self.choices, other.choices, strict=False):
            if (mine.what, mine.place, mine.seen) != (theirs.what, theirs.place, theirs.seen):
                equal = mine.model.equals & theirs.model.equals
                here = (mine.what, mine.place) == (theirs.what, theirs.place)
                return here and {mine.seen, theirs.seen} <= equal
        return False

    @property
    def _essence(self) -> tuple[object, ...]:
        asked_by = [choice.seen for choice in self.choices if not self.request]
        return self.outcome is Outcome.REPLIED, *self._ways, *asked_by

    @property
    def _ways(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """There and back, to whichever rival."""
        return _to_any(self.request, self.rivals), _to_any(self.reply, self.reply_rivals)

    def __str__(self) -> str:
        request, reply = self._ways
        there = " > ".join(request) or "not seen to leave"
        back = "and back" if reply == request[::-1] else f"back by {' > '.join(reply)}"
        words = [there, back] if reply else [there]
        if self.outcome is not Outcome.REPLIED:
            words.append(f"{self.outcome}: {self.detail}")
        return ", ".join(words)


def _to_any(way: tuple[str, ...], rivals: tuple[str, ...]) -> tuple[str, ...]:
    if len(rivals) > 1 and way[-1:] and way[-1] in rivals:
        return (*way[:-1], " or ".join(rivals))
    return way


@dataclass(frozen=True, slots=True)
class Ground:
    """What counts of an observation.

    ``deciding`` are the places whose decisions are held against the kernel's lookups, with the
    ``marks`` of :func:`harness.trace.explain.decisions`; ``crossed`` are those whose NICs are
    told, as ``called`` says; ``endpoints`` may be chosen by a service; ``rivals`` are the NICs
    that tell their MAC for an address.
    """

    deciding: Mapping[str, Namespace]
    marks: Mapping[Nic, int]
    crossed: Set[str]
    called: Callable[[Nic], str] = str
    endpoints: Set[str] = frozenset()
    rivals: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)


def courses(observations: Sequence[Observation], ground: Ground) -> list[Course]:
    """Of each observation; the namespaces must be as they were.

    Raises:
        OperationFailed: a namespace cannot be asked.
    """
    asked = [tuple(_judged(one, ground)) for one in observations]
    known = ways((decision for each in asked for decision in each), ground.deciding)
    return [
        _course(observation, {decision: known[decision] for decision in each}, ground)
        for observation, each in zip(observations, asked, strict=True)
    ]


def _judged(observation: Observation, ground: Ground) -> Iterator[Decision]:
    """The sender's decision, and others that were seen: a packet that was dropped on arrival
    has nothing decided about its answer."""
    for decision in decisions(observation, ground.marks):
        if decision.place in ground.deciding and (decision.seen or decision.what == "request"):
            yield decision


def _course(observation: Observation, known: Mapping[Decision, Way], ground: Ground) -> Course:
    answer, detail = observation.answer, observation.answer.detail
    choices = []
    for decision, way in known.items():
        seen = decision.seen
        if not seen and _asks_in_vain(observation, decision.place, way):
            seen = way.nic
            detail = f"{decision.place}.{way.nic} asks for {way.next_hop}, whom nobody answers for"
        choices.append(Choice(decision.what, decision.place, seen, way))
    trip = observation.trips[-1] if observation.trips else RoundTrip("data", (), ())
    request, reply = _crossings(observation.sending, trip, ground)
    return Course(
        answer.outcome,
        detail,
        request,
        reply,
        tuple(choices),
        ground.rivals.get(observation.sending.target, ()),
        ground.rivals.get(trip.reply[-1].packet.destination, ()) if trip.reply else (),
    )


def _asks_in_vain(observation: Observation, place: str, way: Way) -> bool:
    """Whether it asked for the MAC of the next hop there, and nobody told it."""
    here = [f for f in observation.frames if (f.place, f.link) == (place, way.nic)]
    asked = any(f.outgoing and neighbour_asked_for(f) == way.next_hop for f in here)
    told = any(not f.outgoing and neighbour_answered_for(f) == way.next_hop for f in here)
    return asked and not told


def _crossings(sending: Sending, trip: RoundTrip, ground: Ground) -> Iterator[tuple[str, ...]]:
    """The NICs of the request and of the reply.

    Which endpoint a service chooses, and the way there, is chance: of those probes, the NICs
    of the sender and of the endpoint, whichever it is.
    """
    for leg in (trip.request, trip.reply):
        if _has_chosen(sending, trip, ground.endpoints):
            outgoing = leg is trip.request
            ends = zip((leg[:1], leg[1:][-1:]), (outgoing, not outgoing), strict=True)
            yield tuple(
                ground.called(hop.nic) if of_sender else f"endpoint.{hop.nic.link}"
                for hops, of_sender in ends
                for hop in hops
            )
        else:
            names = (ground.called(hop.nic) for hop in leg if hop.nic.place in ground.crossed)
            yield tuple(name for name, _ in groupby(names))


def _has_chosen(sending: Sending, trip: RoundTrip, endpoints: Set[str]) -> bool:
    """Whether the request for a service has come to an endpoint of it."""
    if not trip.request:
        return False
    last = trip.request[-1]
    return last.packet.destination != sending.target and last.nic.place in endpoints
