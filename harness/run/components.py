"""The processes of a run: started, waited for until they serve, ended; their logs are files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.netns.process import ended
from spiderpool.errors import SpiderpoolError

START_SECONDS = 20.0
STOP_SECONDS = 3.0
_TAIL = 5


class ComponentFailed(SpiderpoolError):
    """A component ended or did not come up; the text has the end of its log."""


class Components:
    """Python modules as child processes, in this process' own namespaces."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def start(
        self, name: str, module: str, *arguments: str, serves: Callable[[], bool]
    ) -> None:
        """Run ``python -m module arguments`` and return once ``serves`` says so.

        Raises:
            ComponentFailed: it ended before, or took longer than :data:`START_SECONDS`.
        """
        child = self._children[name] = self._spawn(name, module, arguments)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not serves():
                    if child.poll() is not None:
                        raise ComponentFailed(f"{name} ended: {self.tail(name)}")
                    await asyncio.sleep(0.005)
        except TimeoutError:
            words = f"{name} does not serve after {START_SECONDS:g} s: {self.tail(name)}"
            raise ComponentFailed(words) from None

    def _spawn(self, name: str, module: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        with self.log(name).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def log(self, name: str) -> Path:
        """The file that a component's output goes to."""
        return self._folder / f"{name}.log"

    def tail(self, name: str) -> str:
        """The last lines of a component's log."""
        lines = self.log(name).read_text(errors="replace").splitlines()
        return " | ".join(lines[-_TAIL:]) or "its log is empty"

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._children)

    def kill(self, name: str) -> None:
        """End one at once, as a crash does."""
        self._children[name].kill()
        self._children.pop(name).wait()

    async def stop(self) -> None:
        """End all: those started last first, each politely and then for good."""
        for child in reversed(self._children.values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
        for child in self._children.values():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended(child), STOP_SECONDS)
        self._children.clear()
