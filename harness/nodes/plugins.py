"""The folder that ``CNI_PATH`` names: Spiderpool's executables beside the machine's plugins."""

from __future__ import annotations

import os
from pathlib import Path

from spiderpool.cni.install import PLUGINS, install
from spiderpool.errors import SpiderpoolError

MACHINE_FOLDERS = (Path("/opt/cni/bin"), Path("/usr/lib/cni"))


class PluginMissing(SpiderpoolError):
    """A CNI plugin that the harness needs is not installed."""


def fill(folder: Path) -> None:
    """Link what the machine has, and install the thin plugins; ``folder`` must not exist.

    Raises:
        PluginMissing: there is no macvlan plugin.
    """
    folder.mkdir(parents=True)
    for name, path in machine_plugins().items():
        (folder / name).symlink_to(path)
    if not (folder / "macvlan").exists():
        raise PluginMissing(
            "no CNI plugin macvlan in "
            + " or ".join(map(str, MACHINE_FOLDERS))
            + "; install the package containernetworking-plugins"
        )
    for name in PLUGINS:
        (folder / name).unlink(missing_ok=True)
    install(folder)


def machine_plugins() -> dict[str, Path]:
    """Plugins by name; the first folder that has one wins."""
    found: dict[str, Path] = {}
    for folder in MACHINE_FOLDERS:
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if os.access(path, os.X_OK):
                    found.setdefault(path.name, path)
    return found
