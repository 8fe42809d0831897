"""``harness run``: one scenario or more, with a live view.

Exit status: 0 all passed, 1 something failed, 2 the scenario cannot be read or expects
nothing, 3 it cannot run here.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from harness.report.console import LiveView
from harness.run.events import Ended, Event, Judged, Result, Step, encode
from harness.run.launch import run
from harness.run.setting import setting
from harness.run.target import Target, chosen, declare
from harness.scenario.load import load

PASSED, FAILED, UNREADABLE, IMPOSSIBLE = range(4)

_PIPE_COLUMNS = 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``harness run``."""
    parser.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO")
    parser.add_argument("--json", action="store_true", help="print events, one object a line")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep captures and state of failures there"
    )
    declare(parser.add_argument)


def main(options: argparse.Namespace) -> int:
    """Run them one after another; the worst exit status of all.

    Raises:
        BadInput: a scenario cannot be read; nothing has been run then.
    """
    target = chosen(options)
    for scenario in options.scenarios:
        setting(load(scenario))
    return max(_run(scenario, target, options) for scenario in options.scenarios)


def _run(scenario: Path, target: Target, options: argparse.Namespace) -> int:
    view, status = LiveView(_console()), PASSED
    for event in run(scenario, options.keep, target):
        if options.json:
            sys.stdout.buffer.write(encode(event))
            sys.stdout.flush()
        else:
            view.show(event)
        status = max(status, status_of(event))
    return status


def _console() -> Console:
    """As wide as the terminal; a file or pipe has room for whole sentences."""
    wide = None if sys.stdout.isatty() else _PIPE_COLUMNS
    return Console(highlight=False, width=wide)


def status_of(event: Event) -> int:
    """What one event means for the exit status."""
    match event:
        case Judged(result=Result.FAILED | Result.NOT_REACHED):
            return FAILED
        case Ended(cannot=cannot) if cannot:
            return IMPOSSIBLE
        case Ended(problem=problem) | Step(problem=problem) if problem:
            return FAILED
    return PASSED
