"""The course of a probe: the NICs that its packets were seen to cross, and what the kernel
says about each decision on its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.capture.packet import neighbour_asked_for
from harness.diff.ways import Way, ways
from harness.scenario.expectations import Outcome
from harness.trace.explain import Decision, decisions
from harness.trace.observe import Observation
from harness.trace.path import Leg
from harness.trace.wires import Nic
from spiderpool.netlink.namespace import Namespace


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
    like ``pod.eth0``."""

    outcome: Outcome
    detail: str = ""
    request: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def agrees(self) -> bool:
        return all(choice.agrees for choice in self.choices)

    def is_like(self, other: Course) -> bool:
        """The same NICs in both directions, and an answer to both or neither. Kernels limit how
        often they say why there is none, and choose by chance between routes that are equal."""
        if self._essence == other._essence:
            return True
        return bool(self._by_chance) and self._by_chance == other._by_chance

    @property
    def _by_chance(self) -> frozenset[tuple[str, str, frozenset[str]]]:
        return frozenset(
            (choice.what, choice.place, choice.model.equals)
            for choice in self.choices
            if len(choice.model.equals) > 1
        )

    @property
    def _essence(self) -> tuple[object, ...]:
        asked_by = [choice.seen for choice in self.choices if not self.request]
        return self.outcome is Outcome.REPLIED, self.request, self.reply, *asked_by

    def __str__(self) -> str:
        there = " > ".join(self.request) or "not seen to leave"
        same = self.reply == tuple(reversed(self.request))
        back = "and back" if same else f"back by {' > '.join(self.reply)}"
        words = [there, back] if self.reply else [there]
        if self.outcome is not Outcome.REPLIED:
            words.append(f"{self.outcome}: {self.detail}")
        return ", ".join(words)


def courses(
    observations: Sequence[Observation],
    namespaces: Mapping[str, Namespace],
    marks: Mapping[Nic, int],
) -> list[Course]:
    """``namespaces`` are the places whose NICs and decisions count; ``marks``: see
    :func:`harness.trace.explain.decisions`.

    Raises:
        OperationFailed: a namespace cannot be asked.
    """
    asked = [tuple(_judged(one, namespaces, marks)) for one in observations]
    known = ways((decision for each in asked for decision in each), namespaces)
    return [
        _course(observation, {decision: known[decision] for decision in each}, namespaces)
        for observation, each in zip(observations, asked, strict=True)
    ]


def _judged(
    observation: Observation, places: Mapping[str, Namespace], marks: Mapping[Nic, int]
) -> Iterator[Decision]:
    """The sender's decision, and others that were seen: a packet that was dropped on arrival
    has nothing decided about its answer."""
    for decision in decisions(observation, marks):
        if decision.place in places and (decision.seen or decision.what == "request"):
            yield decision


def _course(
    observation: Observation, known: Mapping[Decision, Way], places: Mapping[str, Namespace]
) -> Course:
    answer, detail = observation.answer, observation.answer.detail
    choices = []
    for decision, way in known.items():
        seen = decision.seen
        if not seen and _asks_in_vain(observation, decision.place, way):
            seen = way.nic
            detail = f"{decision.place}.{way.nic} asks for {way.next_hop}, whom nobody answers for"
        choices.append(Choice(decision.what, decision.place, seen, way))
    trip = observation.trips[-1] if observation.trips else None
    return Course(
        answer.outcome,
        detail,
        _crossed(trip.request, places) if trip else (),
        _crossed(trip.reply, places) if trip else (),
        tuple(choices),
    )


def _asks_in_vain(observation: Observation, place: str, way: Way) -> bool:
    return any(
        frame.outgoing
        and (frame.place, frame.link) == (place, way.nic)
        and neighbour_asked_for(frame) == way.next_hop
        for frame in observation.frames
    )


def _crossed(leg: Leg, places: Mapping[str, Namespace]) -> tuple[str, ...]:
    names = (str(hop.nic) for hop in leg if hop.nic.place in places)
    return tuple(name for name, _ in groupby(names))
