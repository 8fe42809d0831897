"""Whether a probe went the way that is expected, and its answer came back the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.expect.names import Names
from harness.expect.verdict import Finding, Verdict
from harness.probes.clients import Answer
from harness.scenario.expectations import Blocked, Outcome, Reaches
from harness.scenario.reference import Reference
from harness.trace.observe import Observation
from harness.trace.path import Hop, RoundTrip, first_difference, visible
from harness.trace.wires import Nic, Wires
from spiderpool.types.address import family_of


@dataclass(frozen=True, slots=True)
class Contrast:
    """A probe that should be blocked, and the verdict on its control, asked right after."""

    seen: Observation
    control: Verdict


def judge_reaches(expectation: Reaches, observation: Observation, names: Names) -> Finding | None:
    """The first thing that is wrong; None when the whole way there and back is as expected.

    Raises:
        UnknownName: a NIC of the expectation is not there.
    """
    answer = observation.answer
    if answer.outcome is not Outcome.REPLIED:
        way = _last_sight(observation, names)
        problem = f"{expectation.probe} was not answered: {_ending(answer)}; {way}"
        return Finding(problem, _wanted_lines(expectation, names), _seen_lines(observation, names))
    if not observation.trips:
        return Finding(f"{expectation.probe} was answered, but no packet of it was seen")
    for trip in observation.trips:
        for problem in _problems(expectation, trip, observation, names):
            wanted = _wanted_lines(expectation, names)
            return Finding(
                f"{expectation.probe}: {problem}", wanted, _seen_lines(observation, names)
            )
    return None


def judge_blocked(expectation: Blocked, contrast: Contrast, names: Names) -> Finding | None:
    """None when the probe failed as expected and its control shows that it need not have."""
    answer = contrast.seen.answer
    allowed = " or ".join(expectation.outcomes)
    if answer.outcome not in expectation.outcomes:
        problem = f"{expectation.probe} ended {_ending(answer)}, expected {allowed}"
        return Finding(problem, (allowed,), _seen_lines(contrast.seen, names))
    if (wrong_start := _wrong_start(expectation, contrast.seen, names)) is not None:
        return wrong_start
    if not contrast.control.ok:
        return Finding(
            f"{expectation.probe} is {answer.outcome}, which proves nothing, as its control "
            f"fails: {contrast.control.sentence}",
            contrast.control.expected,
            contrast.control.seen,
        )
    return None


def _wrong_start(expectation: Blocked, seen: Observation, names: Names) -> Finding | None:
    """Whether a blocked request sets out by another NIC than expected."""
    if expectation.leaves is None:
        return None
    wanted = _nic(expectation.leaves, names)
    first = next((trip.request[0].nic for trip in seen.trips if trip.request), None)
    if first == wanted:
        return None
    way = f"leaves by {_said(first, names)}" if first else "is not seen anywhere"
    problem = f"{expectation.probe}: the request {way}, expected {_said(wanted, names)}"
    return Finding(problem, (f"leaves {expectation.leaves}",), _seen_lines(seen, names))


def _problems(
    expectation: Reaches, trip: RoundTrip, observation: Observation, names: Names
) -> Iterator[str]:
    if not trip.request or not trip.reply:
        missing = "reply" if trip.request else "request"
        yield f"no packet of the {trip.what}'s {missing} was seen"
        return
    way = visible(trip.request, observation.wires)
    yield from _way_problems(expectation, way, names)
    yield from _tag_problems(expectation, trip, observation.wires)
    yield from _end_problems(expectation, trip, observation, names)
    yield from _source_problems(expectation, trip, observation.answer, names)
    difference = first_difference(trip)
    if difference is not None:
        yield _detour(*difference, trip, names)


def _way_problems(expectation: Reaches, way: Sequence[Nic], names: Names) -> Iterator[str]:
    """The first and last NIC first: they say most about what is wrong."""
    path = [_nic(reference, names) for reference in expectation.path]
    leaves = _nic(expectation.leaves, names) if expectation.leaves else path[0]
    arrives = [_nic(reference, names) for reference in expectation.arrives] or path[-1:]
    if way[0] != leaves:
        yield f"the request leaves by {_said(way[0], names)}, expected {_said(leaves, names)}"
    if arrives and way[-1] not in arrives:
        expected = " or ".join(_said(nic, names) for nic in arrives)
        yield f"the request arrives at {_said(way[-1], names)}, expected {expected}"
    if path and list(way) != path:
        yield f"the request goes by {_row(way, names)}, expected {_row(path, names)}"


def _tag_problems(expectation: Reaches, trip: RoundTrip, wires: Wires) -> Iterator[str]:
    """What passes a switch is tagged as expected, and something does if a tag is."""
    wanted = expectation.vlan
    between = [hop for hop in (*trip.request, *trip.reply) if hop.nic.place in wires.switches]
    if wanted is not None and not between:
        yield f"no switch is passed, where VLAN {wanted} could be seen"
    for hop in between:
        if hop.vlan != wanted:
            yield f"{hop} is {_tagged(hop.vlan)}, expected {_tagged(wanted)}"


def _tagged(vlan: int | None) -> str:
    return "untagged" if vlan is None else f"of VLAN {vlan}"


def _end_problems(
    expectation: Reaches, trip: RoundTrip, observation: Observation, names: Names
) -> Iterator[str]:
    """What was not translated on its way ends in the place whose address it was sent to."""
    target, last = expectation.probe.target, trip.request[-1]
    if not isinstance(target, Reference) or target.place.name in names.services:
        return
    translated = last.packet.destination != observation.sending.target
    if not translated and last.nic.place != names.place(target.place):
        yield f"the request ends at {_said(last.nic, names)}, not in {target.place}"


def _source_problems(
    expectation: Reaches, trip: RoundTrip, answer: Answer, names: Names
) -> Iterator[str]:
    seen = trip.request[-1].packet.source
    if answer.witness is not None and answer.witness.source != seen:
        yield f"{answer.witness.server} saw {answer.witness.source}, its NIC {seen}"
    if expectation.source is not None:
        wanted = names.address(expectation.source, family_of(seen))
        if seen != wanted:
            yield f"the target sees {seen}, expected {wanted} ({expectation.source})"


def _detour(wanted: Hop | None, taken: Hop | None, trip: RoundTrip, names: Names) -> str:
    """Where the reply leaves the way of the request."""
    what = f"the {trip.what}'s reply"
    if wanted is None:
        assert taken is not None  # one of the two is there
        return f"{what} goes on to {_said(taken.nic, names)}, where the request had not begun"
    if taken is None:
        return f"{what} is not seen at {_said(wanted.nic, names)}, by which the request went"
    if wanted.nic.place == taken.nic.place and taken.outgoing:
        came_in, leaves = _said(wanted.nic, names), _said(taken.nic, names)
        return f"{what} leaves by {leaves}, but the request came in by {came_in}"
    return f"{what} passes {_said(taken.nic, names)}, but the request {_said(wanted.nic, names)}"


def _ending(answer: Answer) -> str:
    return f"{answer.outcome} ({answer.detail})" if answer.detail else str(answer.outcome)


def _last_sight(observation: Observation, names: Names) -> str:
    """How far the last packet of the probe came."""
    for trip in reversed(observation.trips):
        for what, leg in (("reply", trip.reply), ("request", trip.request)):
            if leg:
                way = "going out of" if leg[-1].outgoing else "coming in by"
                return f"the {trip.what}'s {what} was last seen {way} {_said(leg[-1].nic, names)}"
    return "no packet of it was seen anywhere"


def _nic(reference: Reference, names: Names) -> Nic:
    names.nic(reference)  # a NIC that is not there is a mistake, not another way
    return Nic(names.place(reference.place), reference.nic or "")


def _said(nic: Nic, names: Names) -> str:
    return f"{names.called(nic.place)}.{nic.link}"


def _row(way: Sequence[Nic], names: Names) -> str:
    return " -> ".join(_said(nic, names) for nic in way)


def _wanted_lines(expectation: Reaches, names: Names) -> tuple[str, ...]:
    lines = []
    if expectation.path:
        lines.append(f"path {_row([_nic(each, names) for each in expectation.path], names)}")
    if expectation.leaves:
        lines.append(f"leaves {expectation.leaves}")
    if expectation.arrives:
        lines.append(f"arrives {' or '.join(map(str, expectation.arrives))}")
    if expectation.source:
        lines.append(f"source {expectation.source}")
    if expectation.vlan:
        lines.append(f"vlan {expectation.vlan}")
    return (*lines, "the reply by the same way")


def _seen_lines(observation: Observation, names: Names) -> tuple[str, ...]:
    """Every crossing of every NIC, carriers too, with the addresses that it had."""
    return (
        f"outcome {_ending(observation.answer)}",
        *(
            f"{trip.what} {kind}: {_crossing(hop, names)}"
            for trip in observation.trips
            for kind, leg in (
                ("request", trip.request),
                ("reply", trip.reply),
                ("error", trip.errors),
            )
            for hop in leg
        ),
    )


def _crossing(hop: Hop, names: Names) -> str:
    packet = hop.packet
    source, target = packet.ports or ("", "")
    ends = [f"{packet.source}{f' port {source}' if source else ''}"]
    ends.append(f"{packet.destination}{f' port {target}' if target else ''}")
    way = "out" if hop.outgoing else "in"
    tag = "" if hop.vlan is None else f" of VLAN {hop.vlan}"
    return f"{_said(hop.nic, names)} {way}{tag}, {' -> '.join(ends)}"


def shown(expectation: Reaches, observation: Observation, names: Names) -> str:
    """What an answered probe has proven, in one sentence."""
    way = visible(observation.trips[-1].request, observation.wires)
    return f"{expectation.probe}, by {_row(way, names)} and back"
