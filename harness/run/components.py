"""The processes of a run: started, waited for until they serve, ended; their logs are files."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.netns.process import ended
from spiderpool.errors import SpiderpoolError

START_SECONDS = 60.0
STOP_SECONDS = 3.0
END_SECONDS = 30.0
"""As long as Kubernetes gives a pod by default."""
_TAIL = 5


class ComponentFailed(SpiderpoolError):
    """A component ended or did not come up; the text has the end of its log."""


def module(name: str, *arguments: str) -> Sequence[str]:
    """The command line of ``python -m name arguments``."""
    return (sys.executable, "-m", name, *arguments)


class Components:
    """Child processes in this process' own namespaces."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._ends: dict[str, signal.Signals] = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def start(
        self,
        name: str,
        command: Sequence[str],
        serves: Callable[[], bool],
        ask: float = 0.005,
        end: signal.Signals = signal.SIGTERM,
        *,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Run ``command`` and return once ``serves``, asked every ``ask`` seconds, says so.

        ``serves`` is called in a thread, so it may block. ``end`` is what it is told when all
        stop. It inherits ``pass_fds``.

        Raises:
            ComponentFailed: it ended before, or took longer than :data:`START_SECONDS`.
        """
        child = self._children[name] = self._spawn(name, command, pass_fds)
        self._ends[name] = end
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await asyncio.to_thread(serves):
                    if child.poll() is not None:
                        raise ComponentFailed(f"{name} ended: {self.tail(name)}")
                    await asyncio.sleep(ask)
        except TimeoutError:
            words = f"{name} does not serve after {START_SECONDS:g} s: {self.tail(name)}"
            raise ComponentFailed(words) from None

    def _spawn(
        self, name: str, command: Sequence[str], pass_fds: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        with self.log(name).open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                pass_fds=pass_fds,
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

    def check(self) -> None:
        """Raises ComponentFailed when one has ended that nobody ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise self._ended_badly(name, child)

    def _ended_badly(self, name: str, child: subprocess.Popen[bytes]) -> ComponentFailed:
        words = f"{name} ended with status {child.returncode}: {self.tail(name)}"
        return ComponentFailed(words)

    def kill(self, name: str) -> None:
        """End one at once, as a crash does.

        Raises:
            ComponentFailed: there is none of that name.
        """
        if name not in self._children:
            raise ComponentFailed(f"{name} does not run")
        self._children[name].kill()
        self._children.pop(name).wait()

    async def end(self, name: str) -> None:
        """End one as an upgrade does: it is told, and may finish what it is doing.

        Raises:
            ComponentFailed: there is none of that name, or it does not end in time, or badly.
        """
        if name not in self._children:
            raise ComponentFailed(f"{name} does not run")
        child = self._children.pop(name)
        child.send_signal(self._ends[name])
        try:
            await asyncio.wait_for(ended(child), END_SECONDS)
        except TimeoutError:
            words = f"{name} does not end within {END_SECONDS:g} s: {self.tail(name)}"
            raise ComponentFailed(words) from None
        if child.returncode != 0:
            raise self._ended_badly(name, child)

    async def stop(self) -> None:
        """End all: those started last first, each politely and then for good."""
        for name, child in reversed(self._children.items()):
            child.send_signal(self._ends[name])
        for child in self._children.values():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended(child), STOP_SECONDS)
        self._children.clear()
