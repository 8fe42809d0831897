"""Recorded calls of the coordinator, held against ours: equal, explained or different."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.golden.context import Context, Side
from harness.golden.explain import explanation
from harness.golden.meaning import Statement, links_of, meaning
from harness.golden.recorded import Add, Case, Pair, is_case, read_case
from harness.golden.refusals import refusal_explanation
from harness.golden.replay import Ours, replay


class Verdict(enum.StrEnum):
    """How our outcome of a case stands to upstream's."""

    EQUAL = "equal"
    EXPLAINED = "explained"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """``explained`` is an id of docs/differences.md; empty: nothing explains it."""

    call: str
    side: Side
    text: str
    explained: str = ""

    def __str__(self) -> str:
        reason = f"  [{self.explained}]" if self.explained else ""
        return f"{self.call}: {self.side} only: {self.text}{reason}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One case."""

    case: str
    differences: tuple[Difference, ...]

    @property
    def verdict(self) -> Verdict:
        if not self.differences:
            return Verdict.EQUAL
        unexplained = any(not difference.explained for difference in self.differences)
        return Verdict.DIFFERENT if unexplained else Verdict.EXPLAINED

    @property
    def explanations(self) -> tuple[str, ...]:
        """The ids, in the order of first use."""
        return tuple(dict.fromkeys(d.explained for d in self.differences if d.explained))

    def __str__(self) -> str:
        reasons = f": {', '.join(self.explanations)}" if self.verdict is Verdict.EXPLAINED else ""
        return f"{self.case}: {self.verdict}{reasons}"


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.name for path in directory.iterdir() if is_case(path))


def judge(folder: Path) -> Judgement:
    """Replay a case and compare.

    Raises:
        BadInput: the folder cannot be read.
    """
    case = read_case(folder)
    outcome = replay(case)
    added: list[Difference] = []
    for add, ours in zip(case.adds, outcome.adds, strict=True):
        added += _differences_of_add(case, add, ours)
    for (nic, theirs), ours in zip(case.removals, outcome.removals, strict=True):
        call = f"DEL {nic}"
        added += _states(call, theirs, ours, case, is_removal=True)
    return Judgement(case.name, tuple(added))


def _differences_of_add(case: Case, add: Add, ours: Ours) -> Iterator[Difference]:
    call = f"ADD {add.nic}"
    if add.status or ours.refusal:
        yield from _refusals(call, add, ours)
        return
    yield from _answers(call, add, ours)
    yield from _states(call, add.after, ours, case, is_removal=False)


def _refusals(call: str, add: Add, ours: Ours) -> Iterator[Difference]:
    """States after a refusal are compared with those before: nothing may have changed."""
    words = str(add.answer.get("msg", ""))
    if bool(add.status) is not bool(ours.refusal):
        side = Side.OURS if ours.refusal else Side.THEIRS
        reason = refusal_explanation(side, ours.refusal or words)
        yield Difference(call, side, f"refused: {ours.refusal or words}", reason)
    elif add.before != add.after:
        yield Difference(call, Side.THEIRS, "what was done before the refusal", "add-is-atomic")


def _answers(call: str, add: Add, ours: Ours) -> Iterator[Difference]:
    """The MAC in the result against the NIC's."""
    told = next(
        (i.get("mac") for i in add.answer.get("interfaces", ()) if i.get("name") == add.nic), None
    )
    link = ours.after.pod.link(add.nic)
    if link is not None and told is not None and told != link.mac:
        yield Difference(call, Side.THEIRS, f"the result says MAC {told}", "mac-in-result")


def _states(
    call: str, theirs: Pair, ours: Ours, case: Case, *, is_removal: bool
) -> Iterator[Difference]:
    named = links_of(case.adds[0].before) | {f"pod:{nic}" for nic in case.nics}
    context = Context(
        config=ours.config,
        nic=ours.nic,
        attached=case.attached,
        before=ours.before,
        theirs=meaning(theirs, named),
        ours=meaning(ours.after, named),
        initially=_initially(case, named),
        previously=meaning(ours.before, named),
        is_removal=is_removal,
    )
    for side, other in ((Side.THEIRS, Side.OURS), (Side.OURS, Side.THEIRS)):
        for statement in sorted(context.of(side) - context.of(other), key=str):
            yield Difference(call, side, str(statement), explanation(side, statement, context))


def _initially(case: Case, named: frozenset[str]) -> frozenset[Statement]:
    """What other plugins made: the first state, and what was new before each later call."""
    found = set(meaning(case.adds[0].before, named))
    for earlier, later in zip(case.adds, case.adds[1:], strict=False):
        found |= meaning(later.before, named) - meaning(earlier.after, named)
    return frozenset(found)


def summary(judgements: Iterable[Judgement]) -> dict[Verdict, int]:
    """How many cases of each verdict."""
    counts = dict.fromkeys(Verdict, 0)
    for judgement in judgements:
        counts[judgement.verdict] += 1
    return counts
