"""``harness diff``: our coordinator beside another executable, in a recorded case or a scenario.

Prints what the end states say differently, and the NICs that each probe was seen at. Exit
status: 0 no difference, 1 some, or a probe that the kernel's own lookup contradicts, 2 the
case or the executable cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from harness.diff import cases, scenarios
from harness.diff.compared import Compared, Taken
from harness.diff.courses import Choice, Course
from harness.golden.context import Side
from harness.golden.recorded import is_case, read_case
from harness.scenario.load import FILE_NAME, load
from spiderpool.errors import BadInput

SAME, DIFFERENT = range(2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``harness diff``."""
    parser.add_argument(
        "case", type=Path, metavar="CASE", help="folder of a recorded case or of a scenario"
    )
    parser.add_argument(
        "--other",
        type=Path,
        required=True,
        metavar="PATH",
        help="a CNI plugin that takes the same calls",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(options: argparse.Namespace) -> int:
    """Play both and print.

    Raises:
        BadInput: no case, or nothing that can be executed.
        SandboxRefused: this machine gives no namespaces.
    """
    if not (options.other.is_file() and os.access(options.other, os.X_OK)):
        raise BadInput(f"--other {options.other}", "is no executable file", "give a CNI plugin")
    found = _compare(options.case, options.other.resolve())
    print(as_json(found) if options.json else as_text(found))
    return SAME if all(call.is_equal for call in found) else DIFFERENT


def _compare(case: Path, other: Path) -> list[Compared]:
    if is_case(case):
        return cases.compare(read_case(case), other)
    if case.is_file() or (case / FILE_NAME).is_file():
        return scenarios.compare(load(case), other)
    remedy = f"give a folder with a case.json or a {FILE_NAME}"
    raise BadInput(str(case), "is neither a recorded case nor a scenario", remedy)


def as_json(found: Sequence[Compared]) -> str:
    """``{"equal": bool, "calls": [...]}``; of each course what was seen and, as ``choices``,
    what the kernel says about it."""
    calls = [
        {
            "call": call.call,
            "equal": call.is_equal,
            "statements": [{"side": side, "text": text} for side, text in call.statements],
            "probes": [_probe(taken) for taken in call.probes],
        }
        for call in found
    ]
    return json.dumps({"equal": all(c.is_equal for c in found), "calls": calls}, indent=2)


def _probe(taken: Taken) -> dict[str, object]:
    found: dict[str, object] = {"probe": taken.probe, "differs": taken.differs}
    for side, course in taken.sides:
        choices = [_choice_object(choice) for choice in course.choices]
        found[side] = asdict(course) | {"choices": choices}
    return found


def _choice_object(choice: Choice) -> dict[str, object]:
    model = {"nic": choice.model.nic, "route": choice.model.route}
    placed = {"what": choice.what, "place": choice.place, "seen": choice.seen}
    return {**placed, "model": model, "agrees": choice.agrees}


def as_text(found: Sequence[Compared]) -> str:
    """Of each call: the statements of one side only, and the course of each probe."""
    return "\n".join(line for call in found for line in _lines(call))


def _lines(call: Compared) -> Iterator[str]:
    yield f"{call.call}: {'equal' if call.is_equal else 'different'}"
    for side, text in call.statements:
        yield f"  {side} only: {text}"
    width = max((len(taken.probe) for taken in call.probes), default=0)
    for taken in call.probes:
        if taken.differs:
            yield f"! {taken.probe}"
            for side, course in taken.sides:
                yield f"    {side + ':':7} {course}"
                yield from (f"              {choice}" for choice in course.choices)
        else:
            yield f"  {taken.probe:{width}}  {taken.ours}"
        yield from (line for side, course in taken.sides for line in _contradictions(side, course))


def _contradictions(side: Side, course: Course) -> Iterator[str]:
    for choice in course.choices:
        if not choice.agrees:
            seen = choice.seen or "nowhere"
            yield f"?   {side}: left {choice.place} by {seen}, but the kernel says {choice}"
