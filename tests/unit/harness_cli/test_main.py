"""The harness command as a whole."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import run
from harness.cli.main import main
from harness.run.events import Ended, Event, Started

SCENARIO = str(Path(__file__).parents[3] / "scenarios/one-node")


def test_what_the_terminal_cannot_show_is_written_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(*_options: object) -> Iterator[Event]:
        yield Started("example", "client \N{RIGHTWARDS ARROW} router, at \udcff", 1)
        yield Ended(0.1)

    written = io.BytesIO()
    monkeypatch.setattr(run, "run", told)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    assert main(["run", SCENARIO]) == 0
    sys.stdout.flush()
    assert rb"client \u2192 router, at \udcff" in written.getvalue()
