"""``harness diff``: a recorded case through our plugin and through another executable.

Prints what the end states say differently, and the NIC that each probe would take. Exit
status: 0 no difference, 1 some, 2 the case or the executable cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from harness.golden.recorded import is_case, read_case
from harness.golden.sidebyside import Compared, compare
from spiderpool.errors import BadInput

SAME, DIFFERENT = range(2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``harness diff``."""
    parser.add_argument("case", type=Path, metavar="CASE", help="folder of a recorded case")
    parser.add_argument(
        "--impl",
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
    if not is_case(options.case):
        raise BadInput(str(options.case), "is no recorded case", "give a folder with a case.json")
    if not (options.impl.is_file() and os.access(options.impl, os.X_OK)):
        raise BadInput(f"--impl {options.impl}", "is no executable file", "give a CNI plugin")
    found = compare(read_case(options.case), options.impl.resolve())
    print(as_json(found) if options.json else as_text(found))
    return DIFFERENT if any(call.differs for call in found) else SAME


def as_json(found: Sequence[Compared]) -> str:
    """``{"differs": bool, "calls": [...]}``."""
    calls = [asdict(call) | {"differs": call.differs} for call in found]
    return json.dumps({"differs": any(c.differs for c in found), "calls": calls}, indent=2)


def as_text(found: Sequence[Compared]) -> str:
    """Of each call: the statements of one side only, and the NIC of each probe."""
    return "\n".join(line for call in found for line in _lines(call))


def _lines(call: Compared) -> Iterator[str]:
    yield f"{call.call}: {'different' if call.differs else 'equal'}"
    for side, text in call.statements:
        yield f"  {side} only: {text}"
    width = max((len(taken.probe) for taken in call.probes), default=0)
    for taken in call.probes:
        if taken.differs:
            yield f"! {taken.probe:{width}}  theirs: {taken.theirs}"
            yield f"  {'':{width}}  ours:   {taken.ours}"
        else:
            yield f"  {taken.probe:{width}}  {taken.ours.nic}"
