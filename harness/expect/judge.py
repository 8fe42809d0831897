"""The verdict on any expectation."""

from __future__ import annotations

from typing import Any

from harness.expect.names import Names, UnknownName
from harness.expect.networks import judge_network, judge_nics
from harness.expect.objects import judge_check, judge_events, judge_object, judge_refusal
from harness.expect.paths import Contrast, judge_blocked, judge_reaches, shown
from harness.expect.tables import judge_table
from harness.expect.verdict import Finding, Verdict, failed, passed
from harness.scenario.expectations import (
    Blocked,
    Checked,
    EventSays,
    Expectation,
    Invariants,
    NetworkHas,
    NicsHave,
    ObjectHas,
    Reaches,
    Refused,
    TableHas,
)
from harness.trace.observe import Observation
from spiderpool.netlink.objects import NetState

Observed = dict[str, Any] | list[dict[str, Any]] | None | str | NetState | Observation | Contrast


def judge(expectation: Expectation, observed: Observed, names: Names) -> Verdict:
    """Whether what was observed is what is expected.

    ``observed`` is, by the kind of expectation: the API object, or None when it is absent
    (ObjectHas); the Events about an object (EventSays); what kubectl printed (TableHas)
    or complained (Refused); what is wrong, a line each (Invariants); the place's state
    (NetworkHas, NicsHave); what CHECK complains of (Checked); an Observation (Reaches);
    a Contrast (Blocked). Anything else is a TypeError.
    """
    try:
        finding = _finding(expectation, observed, names)
    except UnknownName as error:
        return failed(expectation, str(error))
    if finding is not None:
        return failed(expectation, finding)
    return passed(expectation, _shown(expectation, observed, names))


def _finding(expectation: Expectation, observed: Observed, names: Names) -> Finding | None:
    def fill(text: str) -> str:
        return names.text(text, expectation.bound)

    match expectation, observed:
        case ObjectHas(), dict() | None:
            finding = judge_object(expectation.has, observed, fill)
            return _about(fill(expectation.object), finding)
        case EventSays(), list():
            words = tuple(map(fill, expectation.words))
            finding = judge_events(expectation.reason, words, observed)
            return _about(fill(expectation.object), finding)
        case Refused(), str():
            return judge_refusal(expectation.words, observed)
        case Invariants(), str():
            broken = tuple(observed.splitlines())
            return (
                Finding(f"{len(broken)} rules of IPAM are broken", (), broken) if broken else None
            )
        case TableHas(), str():
            rows = [{key: fill(cell) for key, cell in row.items()} for row in expectation.rows]
            finding = judge_table(observed, expectation.columns, rows, expectation.count)
            return _about(_command(expectation), finding)
        case NetworkHas(), NetState():
            return judge_network(expectation, observed, fill)
        case NicsHave(), NetState():
            return judge_nics(expectation.nics, str(expectation.place), observed, fill)
        case Checked(), str():
            return judge_check(tuple(map(fill, expectation.words)), observed)
        case Reaches(), Observation():
            return judge_reaches(expectation, observed, names)
        case Blocked(), Contrast():
            return judge_blocked(expectation, observed, names)
    raise TypeError(f"{type(observed).__name__} says nothing about {type(expectation).__name__}")


def _about(subject: str, finding: Finding | None) -> Finding | None:
    if finding is None:
        return None
    return Finding(f"{subject}: {finding.problem}", finding.expected, finding.seen)


def _command(expectation: TableHas) -> str:
    return f"`kubectl get {' '.join(expectation.arguments)}`"


def _shown(expectation: Expectation, observed: Observed, names: Names) -> str:
    match expectation, observed:
        case ObjectHas(), _:
            state = "is absent" if expectation.has is None else "is as expected"
            return f"{names.text(expectation.object, expectation.bound)} {state}"
        case EventSays(), _:
            about = names.text(expectation.object, expectation.bound)
            return f"an event about {about} says {' ... '.join(expectation.words)}"
        case Refused(), _:
            return f"{expectation.file.name} is refused: {' ... '.join(expectation.words)}"
        case Invariants(), _:
            return "addresses, pools, endpoints and pods agree"
        case TableHas(), _:
            return f"{_command(expectation)} prints {len(expectation.rows)} expected rows"
        case NetworkHas(), _:
            return f"{expectation.place} holds {len(expectation.lines)} expected lines"
        case NicsHave(), _:
            nics = expectation.nics.items()
            there = (f"no {nic}" if has.get("absent") else nic for nic, has in nics)
            return f"{expectation.place} has {', '.join(there)}"
        case Checked(), _:
            said = f"says {' ... '.join(expectation.words)}" if expectation.words else "is content"
            return f"CHECK of {expectation.nic} {said}"
        case Reaches(), Observation():
            return shown(expectation, observed, names)
        case Blocked(), Contrast():
            outcome = observed.seen.answer.outcome
            return f"{expectation.probe} is {outcome}, while {expectation.control} is answered"
    raise TypeError("what cannot be judged shows nothing")
