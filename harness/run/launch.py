"""Start an engine for one scenario and read what it tells."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from harness.run.apiservers import ApiServer
from harness.run.events import Ended, Event, decode


def run(
    scenario: Path, keep: Path | None = None, apiserver: ApiServer = ApiServer.EMBEDDED
) -> Iterator[Event]:
    """The events of a run, as they come; always ends with :class:`Ended`.

    The engine ends when this process does, however that happens. ``keep`` is a folder for
    what is kept of failures.
    """
    with tempfile.TemporaryFile() as complaints:
        arguments = [str(scenario), f"--apiserver={apiserver}"]
        if keep is not None:
            arguments.append(f"--keep={keep}")
        yield from _events(arguments, complaints)


def _events(arguments: Sequence[str], complaints: IO[bytes]) -> Iterator[Event]:
    reading, writing = os.pipe()
    engine = subprocess.Popen(
        [sys.executable, "-m", "harness.run.engine", f"--events-fd={writing}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=complaints,
        pass_fds=(writing,),
    )
    os.close(writing)
    last: Event | None = None
    try:
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                last = decode(line)
                yield last
        engine.wait()
        if not isinstance(last, Ended):
            complaints.seek(0)
            yield Ended(0.0, problem=_why(complaints.read()))
    finally:
        if not isinstance(last, Ended):
            engine.kill()
        engine.wait()


def _why(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "the engine ended without a word"
