"""Puts the thin plugin into a folder of CNI plugins, under each name that it serves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PLUGINS = ("spiderpool", "coordinator", "ifacer")


def install(folder: Path, interpreter: str | None = None) -> None:
    """Write the script per plugin name into ``folder``; each replaces the old one at once.

    ``interpreter`` is an absolute path, by default this Python without its virtual
    environment, which the plugin does not need and which would cost a search at start.
    """
    source = Path(__file__).with_name("plugin.py").read_text(encoding="utf-8")
    python = interpreter or os.path.realpath(sys.executable)
    _write(folder, f"#!{python} -ISE\n{source}".encode())


def install_executable(folder: Path, executable: Path) -> None:
    """As :func:`install`, with the static ``executable``, which serves the name it is called by.

    Raises:
        OSError: ``executable`` cannot be read, or ``folder`` not written.
    """
    _write(folder, executable.read_bytes())


def _write(folder: Path, content: bytes) -> None:
    """A runtime that executes a plugin meanwhile has the whole old one or the whole new one."""
    for name in PLUGINS:
        draft = folder / f".{name}.{os.getpid()}"
        draft.write_bytes(content)
        draft.chmod(0o755)
        draft.rename(folder / name)
