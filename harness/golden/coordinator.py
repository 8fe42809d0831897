"""Recorded calls of the coordinator, held against ours: equal, explained or different."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.golden.compare import Difference, Judgement
from harness.golden.context import Context, Side
from harness.golden.explain import explanation
from harness.golden.inmemory import MemoryStage
from harness.golden.meaning import Statement, links_of, meaning
from harness.golden.recorded import Add, Case, Pair, is_case, read_case
from harness.golden.refusals import refusal_explanation
from harness.golden.replay import Ours, Outcome, replay
from spiderpool.types.names import IfName

OF_ANSWERS = ("mac-in-result", "add-is-atomic")
"""Ids of what is seen in an answer, or behind a refusal."""


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.name for path in directory.iterdir() if is_case(path))


def judge(directory: Path, case: str) -> Judgement:
    """Replay a case in memory and compare.

    Raises:
        BadInput: the folder cannot be read.
    """
    recorded = read_case(directory / case)
    return judge_outcome(recorded, replay(recorded, MemoryStage(recorded)))


def judge_outcome(case: Case, outcome: Outcome) -> Judgement:
    """Wherever it was played."""
    found: list[Difference] = []
    for add, ours in zip(case.adds, outcome.adds, strict=True):
        found += _differences_of_add(case, add, ours)
    for (nic, theirs), ours in zip(case.removals, outcome.removals, strict=True):
        call = f"DEL {nic}"
        if ours.answer.refusal:
            found.append(_difference(call, Side.OURS, f"refused: {ours.answer.refusal}"))
        expected = _restored(case, outcome, nic)
        found += _states(call, theirs, ours, case, expected)
    return Judgement(case.name, tuple(found))


def _difference(call: str, side: Side, text: str, explained: str = "") -> Difference:
    return Difference(f"{call}: {side} only: {text}", explained)


def _differences_of_add(case: Case, add: Add, ours: Ours) -> Iterator[Difference]:
    call = f"ADD {add.nic}"
    if add.status or ours.answer.refusal:
        yield from _refusals(call, case, add, ours)
        return
    yield from _macs(call, add, ours)
    yield from _results(call, add, ours)
    yield from _states(call, add.after, ours, case)


def _refusals(call: str, case: Case, add: Add, ours: Ours) -> Iterator[Difference]:
    """States after a refusal are compared with those before: nothing may have changed."""
    named = named_links(case)
    words, refusal = str(add.answer.get("msg", "")), ours.answer.refusal
    if bool(add.status) is not bool(refusal):
        side = Side.OURS if refusal else Side.THEIRS
        reason = refusal_explanation(side, refusal or words, case, add)
        yield _difference(call, side, f"refused: {refusal or words}", reason)
    elif meaning(add.before, named) != meaning(add.after, named):
        yield _difference(call, Side.THEIRS, "what was done before the refusal", "add-is-atomic")
    if refusal and meaning(ours.before, named) != meaning(ours.after, named):
        yield _difference(call, Side.OURS, "what was done before the refusal")


def _macs(call: str, add: Add, ours: Ours) -> Iterator[Difference]:
    """The MAC in the result against the NIC's."""
    link = ours.after.pod.link(add.nic)
    for side, result, reason in (
        (Side.THEIRS, add.answer, "mac-in-result"),
        (Side.OURS, ours.answer.result or {}, ""),
    ):
        told = next(
            (i.get("mac") for i in result.get("interfaces", ()) if i.get("name") == add.nic), None
        )
        if link is not None and told is not None and told != link.mac:
            yield _difference(call, side, f"the result says MAC {told}", reason)


def _results(call: str, add: Add, ours: Ours) -> Iterator[Difference]:
    """What was allocated is handed on unchanged, in the order that it came."""
    if ours.answer.result is None:
        return
    for field in ("ips", "routes"):
        theirs, here = add.answer.get(field) or [], ours.answer.result.get(field) or []
        if theirs != here:
            yield Difference(f"{call}: the result's {field}: {theirs} -> {here}")


def _states(
    call: str, theirs: Pair, ours: Ours, case: Case, restored: frozenset[Statement] | None = None
) -> Iterator[Difference]:
    named = named_links(case)
    context = Context(
        config=ours.config,
        nic=ours.nic,
        attached=case.attached,
        before=ours.before,
        theirs=meaning(theirs, named),
        ours=meaning(ours.after, named),
        initially=_initially(case, named),
        previously=meaning(ours.before, named),
        restored=restored,
    )
    for side, other in ((Side.THEIRS, Side.OURS), (Side.OURS, Side.THEIRS)):
        for statement in sorted(context.of(side) - context.of(other), key=str):
            yield _difference(call, side, str(statement), explanation(side, statement, context))


def named_links(case: Case) -> frozenset[str]:
    """Links whose MACs were not drawn by a coordinator."""
    return links_of(case.adds[0].before) | {f"pod:{nic}" for nic in case.nics}


def _initially(case: Case, named: frozenset[str]) -> frozenset[Statement]:
    """What other plugins made: the first state, and what was new before each later call."""
    return meaning(case.adds[0].before, named) | _by_others(case, 0, named)


def _by_others(case: Case, since: int, named: frozenset[str]) -> frozenset[Statement]:
    """What was new before each call after the one at ``since``."""
    found: set[Statement] = set()
    for earlier, later in zip(case.adds[since:], case.adds[since + 1 :], strict=False):
        found |= meaning(later.before, named) - meaning(earlier.after, named)
    return frozenset(found)


def _restored(case: Case, outcome: Outcome, nic: IfName) -> frozenset[Statement]:
    """What has to hold once the NIC is detached: what did before, and what others did since."""
    place = next(place for place, add in enumerate(case.adds) if add.nic == nic)
    named = named_links(case)
    return meaning(outcome.adds[place].before, named) | _by_others(case, place, named)
