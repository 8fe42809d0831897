"""``harness golden``: recorded cases of upstream, held against ours.

Prints of each case ``equal``, ``explained: <id in docs/differences.md>`` or ``different``.
Exit status: 0 none is different, 1 one is, 2 a folder holds no cases that we know.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.golden.compare import Judgement, Verdict, summary
from harness.golden.kernel import judge_in_kernel
from harness.golden.kinds import KINDS, judge, kind_of

EQUAL_ENOUGH, DIFFERENT = range(2)

Judged = tuple[str, Judgement]
"""The kind of a case, and its judgement."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``harness golden``."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--in-memory",
        action="store_true",
        help="play calls of the coordinator on a model of the kernel, without namespaces",
    )


def main(options: argparse.Namespace) -> int:
    """Judge them all and print.

    Raises:
        BadInput: a folder holds no cases; nothing has been judged then.
        SandboxRefused: this machine gives no namespaces; ``--in-memory`` needs none.
    """
    kinds = [(folder, kind_of(folder)) for folder in options.folders]
    judged = list(_judge(kinds, in_memory=options.in_memory))
    print(as_json(judged) if options.json else as_text(judged))
    different = any(one.verdict is Verdict.DIFFERENT for _, one in judged)
    return DIFFERENT if different else EQUAL_ENOUGH


def _judge(kinds: Iterable[tuple[Path, str]], *, in_memory: bool) -> Iterator[Judged]:
    for folder, kind in kinds:
        if kind == "coordinator" and not in_memory:
            yield from ((kind, judgement) for judgement in judge_in_kernel(folder))
        else:
            yield from ((kind, judge(kind, folder, case)) for case in KINDS[kind].cases(folder))


def as_json(judged: Iterable[Judged]) -> str:
    """``{"summary": {verdict: count}, "cases": [...]}``."""
    listed = list(judged)
    counts = {str(verdict): n for verdict, n in summary(one for _, one in listed).items()}
    found = {"summary": counts, "cases": [_object(kind, one) for kind, one in listed]}
    return json.dumps(found, indent=2)


def _object(kind: str, judgement: Judgement) -> dict[str, Any]:
    return {
        "kind": kind,
        "case": judgement.case,
        "verdict": judgement.verdict,
        "explained": judgement.explanations,
        "differences": [
            {"text": one.text, "explained": one.explained or None} for one in judgement.differences
        ],
    }


def as_text(judged: Iterable[Judged]) -> str:
    """One line a case; what nothing explains below it; how many of each verdict last."""
    listed = list(judged)
    lines = []
    for kind, judgement in listed:
        lines.append(f"{kind}/{judgement}")
        lines += (f"    {one}" for one in judgement.unexplained)
    counts = summary(one for _, one in listed)
    return "\n".join([*lines, "", ", ".join(f"{n} {verdict}" for verdict, n in counts.items())])
