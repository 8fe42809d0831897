"""Files of a node below a root that need not be ours, like a host's folder in a container."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

LARGEST_FILE = 1 << 20
MOST_LINKS = 40
"""As the kernel's own limit (path_resolution(7))."""


@dataclass(frozen=True, slots=True)
class Root:
    """``path`` is where the node's ``/`` is; links, absolute ones too, do not lead out of it."""

    path: Path = Path("/")

    def at(self, name: str) -> Path:
        """Where a path of the node really is. Raises OSError when its links have no end."""
        waiting, found, links = name.split("/")[::-1], self.path, 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                found = found.parent if found != self.path else found
                continue
            step = found / part
            if not step.is_symlink():
                found = step
                continue
            links += 1
            if links > MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
            target = str(step.readlink())
            if target.startswith("/"):
                found = self.path
            waiting += target.split("/")[::-1]
        return found

    def text(self, name: str) -> str | None:
        """A file's text without blanks at its ends; None when it cannot be read."""
        try:
            with self.at(name).open("rb") as file:
                return file.read(LARGEST_FILE).decode(errors="replace").strip()
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        """What is in a folder, in order; nothing when it cannot be read."""
        try:
            return sorted(entry.name for entry in self.at(folder).iterdir())
        except OSError:
            return []

    def exists(self, name: str) -> bool:
        try:
            return self.at(name).exists()
        except OSError:
            return False

    def texts(self, folders: tuple[str, ...], suffix: str) -> dict[str, str]:
        """Files of several folders by their names in order, each as ``folder/name`` -> text;
        of the same name in two folders, only the first folder's counts (systemd.syntax(7))."""
        found: dict[str, str] = {}
        for folder in folders:
            for name in self.names(folder):
                if name.endswith(suffix) and name not in found:
                    found[name] = f"{folder}/{name}"
        pairs = ((found[name], self.text(found[name])) for name in sorted(found))
        return {path: text for path, text in pairs if text is not None}
