"""Start an engine for one scenario and read what it tells."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from harness.run.events import Ended, Event, decode
from harness.run.target import Emulation, Existing, Target


def run(scenario: Path, keep: Path | None = None, target: Target | None = None) -> Iterator[Event]:
    """The events of a run, as they come; always ends with :class:`Ended`.

    The engine ends when this process does, however that happens: at once, or in an existing
    cluster when it has deleted what it made there. ``keep`` is a folder for what is kept of
    failures; without a ``target`` the cluster is emulated.

    Raises:
        KeyboardInterrupt: its text says what an interrupted run leaves in an existing cluster.
    """
    target = target or Emulation()
    with tempfile.TemporaryFile() as complaints:
        arguments = [str(scenario), *target.options]
        if keep is not None:
            arguments.append(f"--keep={keep}")
        yield from _events(arguments, complaints, tidies_up=isinstance(target, Existing))


def _events(arguments: Sequence[str], complaints: IO[bytes], *, tidies_up: bool) -> Iterator[Event]:
    reading, writing = os.pipe()
    engine = subprocess.Popen(
        [sys.executable, "-m", "harness.run", f"--events-fd={writing}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=complaints,
        pass_fds=(writing,),
    )
    os.close(writing)
    last: Event | None = None
    try:
        with os.fdopen(reading, "rb") as lines:
            try:
                for line in lines:
                    last = decode(line)
                    yield last
            except KeyboardInterrupt:
                if tidies_up:
                    raise KeyboardInterrupt(_problem_at_the_end(engine, lines)) from None
                raise
        engine.wait()
        if not isinstance(last, Ended):
            complaints.seek(0)
            yield Ended(0.0, problem=_why(complaints.read()))
    finally:
        if not isinstance(last, Ended):
            engine.terminate() if tidies_up else engine.kill()
        engine.wait()


def _problem_at_the_end(engine: subprocess.Popen[bytes], lines: Iterable[bytes]) -> str:
    """Tell the engine to stop, and wait for its last word."""
    engine.terminate()
    endings = (event for event in map(decode, lines) if isinstance(event, Ended))
    return "; ".join(ending.problem for ending in endings)


def _why(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "the engine ended without a word"
