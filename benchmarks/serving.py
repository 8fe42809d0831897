"""An agent's server in a process of its own, and calls of it without a plugin's process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from spiderpool.agent.server import Plugin, Server
from spiderpool.agent.wire import RawRequest


class Ready:
    """Caches that are filled; nothing is ever postponed."""

    async def synced(self) -> None:
        return

    async def there(self) -> None:
        return

    def problems(self, plugin: str) -> list[str]:
        return []

    async def save(self, request: RawRequest) -> None:
        raise NotImplementedError


@contextmanager
def agent(path: Path, plugins: Mapping[str, Plugin]) -> Iterator[None]:
    """Serve ``plugins`` at ``path`` until the body ends."""
    child = os.fork()
    if child == 0:
        _serve(path, plugins)
    try:
        while not path.exists():
            time.sleep(0.001)
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@contextmanager
def kernel_role(path: Path) -> Iterator[None]:
    """Another process that works in namespaces, at ``path``, until the body ends."""
    command = [sys.executable, "-m", "spiderpool.kernel", f"--socket={path}", "--log-level=error"]
    with subprocess.Popen(command) as child:
        try:
            while not path.exists():
                time.sleep(0.001)
            yield
        finally:
            child.kill()


def _serve(path: Path, plugins: Mapping[str, Plugin]) -> NoReturn:
    try:
        asyncio.run(Server(path, plugins, Ready(), Ready()).run())
    finally:
        os._exit(1)


def call(path: Path, request: bytes, descriptors: Sequence[int]) -> None:
    """One call on a connection of its own.

    Raises:
        SystemExit: the agent answered with an error.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        socket.send_fds(connection, [request], descriptors)
        answer = connection.recv(65536)
    if answer[4:8] != bytes(4):
        raise SystemExit(f"the agent refused the request: {answer[12:].decode(errors='replace')}")
