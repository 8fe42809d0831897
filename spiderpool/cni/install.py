"""Puts the thin plugin into a folder of CNI plugins, under each name that it serves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PLUGINS = ("spiderpool", "coordinator", "ifacer")


def install(folder: Path, interpreter: str | None = None) -> None:
    """Write an executable per plugin name into ``folder``; each replaces the old one at once.

    ``interpreter`` is an absolute path, by default this Python without its virtual
    environment, which the plugin does not need and which would cost a search at start.
    """
    source = Path(__file__).with_name("plugin.py").read_text(encoding="utf-8")
    python = interpreter or os.path.realpath(sys.executable)
    for name in PLUGINS:
        draft = folder / f".{name}.{os.getpid()}"
        draft.write_text(f"#!{python} -ISE\n{source}", encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(folder / name)
