"""Which kind of cases a folder holds, and who judges them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.golden import (
    accepted,
    allocated,
    coordinator,
    coordstatus,
    discovered,
    explain,
    invalid,
    ipam,
    nad,
    refusals,
)
from harness.golden.compare import Difference, Judgement
from harness.golden.recorded import is_case
from spiderpool.errors import BadInput, SpiderpoolError

_MARKS = {"ipam": '"steps"', "coordstatus": '"result_status"', "invalid": '"accepted"'}
"""What a case's JSON object has, and those of other kinds have not."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``rules`` are the ids of docs/differences.md that can explain a difference."""

    cases: Callable[[Path], list[str]]
    judge: Callable[[Path, str], Judgement]
    rules: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "coordinator": Kind(
        coordinator.cases,
        coordinator.judge,
        (*explain.RULES, *refusals.REFUSALS, *coordinator.OF_ANSWERS),
    ),
    "nad": Kind(nad.cases, nad.judge, tuple(nad.RULES)),
    "coordstatus": Kind(coordstatus.cases, coordstatus.judge, tuple(discovered.RULES)),
    "invalid": Kind(invalid.cases, invalid.judge, tuple(accepted.RULES)),
    "ipam": Kind(ipam.cases, ipam.judge, tuple(allocated.RULES)),
}


def kind_of(directory: Path) -> str:
    """By the shape of what lies in the folder, whatever its name is.

    Raises:
        BadInput: it is none that we know.
    """
    if not directory.is_dir():
        raise BadInput(str(directory), "is no folder", "give a folder of recorded cases")
    if coordinator.cases(directory):
        return "coordinator"
    if nad.cases(directory):
        return "nad"
    for path in sorted(directory.glob("*.json")):
        text = path.read_text(errors="replace")
        for kind, mark in _MARKS.items():
            if mark in text:
                return kind
    remedy = "give one shaped like golden/coordinator, ipam, nad, coordstatus or invalid"
    if is_case(directory):
        remedy = "give the folder that it lies in"
    raise BadInput(str(directory), "holds no recorded cases", remedy)


def judge(kind: str, directory: Path, case: str) -> Judgement:
    """A case that cannot be played is different, with the reason."""
    try:
        return KINDS[kind].judge(directory, case)
    except (SpiderpoolError, LookupError, TypeError, ValueError, OSError) as exc:
        return unplayable(case, exc)


def unplayable(case: str, problem: Exception) -> Judgement:
    """The judgement of a case that is not as recordings are."""
    words = str(problem) if isinstance(problem, SpiderpoolError) else repr(problem)
    return Judgement(case, (Difference(f"cannot be played: {words}"),))
