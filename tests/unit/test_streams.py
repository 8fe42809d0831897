"""Programs whose standard streams are closed, full, or read by nobody any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PRINTS = """
import os, sys
from spiderpool import streams

@streams.guarded("example", failed=7)
def main():
    opened = os.open("/dev/null", os.O_RDONLY)
    if opened > 2:
        print("x" * 100_000)
        return 5

sys.exit(main())
"""
COMMANDS = [
    ["spiderpool.agent", "--help"],
    ["spiderpool.agent.folders", "--help"],
    ["spiderpool.controller", "--help"],
    ["spiderpool.controller.install", "--help"],
    ["spiderpool.kernel", "--help"],
    ["spiderpool.ctl", "--help"],
    ["harness.cli.main", "--help"],
    ["harness.kubeapi", "--help"],
]


BUFFERED = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
"""As most are started: what could not be written is tried again at the end."""


@contextmanager
def pipe_without_reader() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def full_disk() -> Iterator[int]:
    with Path("/dev/full").open("wb") as full:
        yield full.fileno()


def without(*descriptors: int) -> list[str]:
    """Words before a command that take these descriptors from it."""
    closing = " ".join(f"{descriptor}>&-" for descriptor in descriptors)
    return ["sh", "-c", f'exec "$0" "$@" {closing}']


def done(command: list[str], stdout: int = subprocess.PIPE) -> tuple[int, str]:
    """Exit status, and what is on stderr."""
    ended = subprocess.run(
        command,
        env=BUFFERED,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)], ids=str)
def test_a_closed_stream_is_no_other_file(closed: tuple[int, ...]) -> None:
    assert done([*without(*closed), sys.executable, "-c", PRINTS]) == (5, "")


def test_a_closed_stream_is_closed_to_no_child() -> None:
    child = "import os; [os.fstat(n) for n in range(3)]"
    starts = f"""
import subprocess, sys
from spiderpool import streams
streams.open_missing()
sys.exit(subprocess.run([sys.executable, "-c", {child!r}]).returncode)
"""
    assert done([*without(0, 1, 2), sys.executable, "-c", starts])[0] == 0


def test_a_reader_that_has_gone_needs_no_word() -> None:
    with pipe_without_reader() as writing:
        assert done([sys.executable, "-c", PRINTS], writing) == (7, "")


def test_a_full_disk_is_one_line() -> None:
    words = "example: No space left on device\n"
    with full_disk() as full:
        assert done([sys.executable, "-c", PRINTS], full) == (7, words)


def test_what_nobody_can_be_told_changes_no_status() -> None:
    with full_disk() as full:
        refused = [sys.executable, "-m", "spiderpool.controller", "--kubeconfig=/nowhere"]
        ended = subprocess.run(
            refused, env=BUFFERED, stdout=full, stderr=full, check=False, timeout=60
        )
    assert ended.returncode == 2


def test_an_interruption_is_no_traceback() -> None:
    interrupted = f"""
import os, sys
from spiderpool import streams

@streams.guarded("example")
def main():
    os.kill(os.getpid(), {int(signal.SIGINT)})

sys.exit(main())
"""
    assert done([sys.executable, "-c", interrupted]) == (130, "")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_program_is_guarded(command: list[str]) -> None:
    with full_disk() as full:
        status, words = done([sys.executable, "-m", *command], full)
    assert status in {1, 2}
    assert words.endswith(": No space left on device\n")
    assert words.count("\n") == 1
