"""Programs of the system, wherever a user's PATH leads."""

from __future__ import annotations

import shutil

PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def find(name: str) -> str | None:
    """Its path, or None."""
    return shutil.which(name, path=PATH)
