"""Kernel roles for tests: in threads of this process, and as a process with chosen powers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reachable import reachable

from spiderpool.kernel.remote import Remote
from spiderpool.kernel.server import Server
from spiderpool.kernel.session import Open
from spiderpool.netlink.kernel import Kernel

START_SECONDS = 20


@contextmanager
def serving(folder: Path, open_kernel: Open = Kernel) -> Iterator[Remote]:
    """What an agent has of one in threads; ``open_kernel`` stands for the kernel."""
    path = folder / "kernel.sock"
    server = Server(path, os.getuid(), open_kernel)
    server.start()
    try:
        yield Remote(path)
    finally:
        server.stop(patience=5)


class KernelProcess:
    """One that serves ``peer`` at ``path``; ``prefix`` is put before its command line."""

    def __init__(self, path: Path, peer: int, prefix: Sequence[str] = ()) -> None:
        options = (f"--socket={path}", f"--peer-uid={peer}")
        self.path = path
        self._command = (*prefix, sys.executable, "-m", "spiderpool.kernel", *options)
        self._log = path.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it serves."""
        self.path.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self.path.exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.005)

    def kill(self) -> None:
        """At once, as a crash."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self) -> str:
        return self._log.read_text()


def powers(user: int, group: int, capabilities: Sequence[str]) -> tuple[str, ...]:
    """What a container runtime does before it executes: user, group, capabilities, no more."""
    kept = ",".join(["-all", *(f"+{name.lower()}" for name in capabilities)])
    return (
        *reachable(),
        *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"),
        *(f"--bounding-set={kept}", f"--inh-caps={kept}", "--no-new-privs", "--"),
    )


@contextmanager
def shared_folder(user: int) -> Iterator[Path]:
    """For agents of another user, prepared as the chart's init container does.

    Its ``kernel`` is where the two roles meet, as an emptyDir: everybody's.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        command = (*powers(0, user, ()), sys.executable, "-m", "spiderpool.agent.folders")
        options = (f"--group={user}", f"--socket-dir={folder}", f"--state-dir={folder / 'state'}")
        subprocess.run([*command, *options], check=True)
        (folder / "kernel").mkdir()
        (folder / "kernel").chmod(0o777)
        yield folder
