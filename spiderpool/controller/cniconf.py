"""The node's default CNI: the first configuration in a directory, as kubelet's runtime sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spiderpool.errors import BadInput

_SUFFIXES = (".conf", ".conflist", ".json")
_MULTUS = "00-multus"


def default_cni(directory: Path | None) -> tuple[str, ...] | None:
    """Network name and plugin types of the first configuration; Multus' own is passed over.

    None when no directory was named or it does not exist: then nothing is known. Empty when
    it holds no configuration.

    Raises:
        BadInput: naming the file, when it cannot be read.
    """
    if directory is None or not directory.is_dir():
        return None
    for path in sorted(directory.iterdir()):
        if path.suffix in _SUFFIXES and not path.name.startswith(_MULTUS):
            return _words(path)
    return ()


def _words(path: Path) -> tuple[str, ...]:
    try:
        config: Any = json.loads(path.read_text())
    except (OSError, ValueError) as exc:
        raise BadInput(str(path), f"not a CNI configuration: {exc}") from None
    if not isinstance(config, dict):
        raise BadInput(str(path), "not a CNI configuration: not an object")
    plugins = config.get("plugins") or [config]
    types = [str(p.get("type", "")) for p in plugins if isinstance(p, dict)]
    return (str(config.get("name", "")), *types)
