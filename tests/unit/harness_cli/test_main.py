"""The harness command as a whole."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import run
from harness.cli.main import main
from harness.run.events import Ended, Event, Started

SCENARIO = str(Path(__file__).parents[3] / "scenarios/one-node")


def told(*_options: object) -> Iterator[Event]:
    yield Started("example", "client \N{RIGHTWARDS ARROW} router, at \udcff", 1)
    yield Ended(0.1)


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run", told)


def test_what_the_terminal_cannot_show_is_written_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    assert main(["run", SCENARIO]) == 0
    sys.stdout.flush()
    assert rb"client \u2192 router, at \udcff" in written.getvalue()


def test_nothing_is_said_when_the_reader_has_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["run", "--json", SCENARIO]) == 1
    assert capsys.readouterr().err == ""


def test_a_full_disk_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["run", "--json", SCENARIO]) == 1
    assert capsys.readouterr().err == "harness: No space left on device\n"
