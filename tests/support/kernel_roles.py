"""Kernel roles for tests: one that serves in threads of this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spiderpool.kernel.remote import Remote
from spiderpool.kernel.server import Server
from spiderpool.kernel.session import Open
from spiderpool.netlink.kernel import Kernel


@contextmanager
def serving(folder: Path, open_kernel: Open = Kernel) -> Iterator[Remote]:
    """What an agent has of it; ``open_kernel`` stands for the kernel."""
    path = folder / "kernel.sock"
    server = Server(path, os.getuid(), open_kernel)
    server.start()
    try:
        yield Remote(path)
    finally:
        server.stop(patience=5)
