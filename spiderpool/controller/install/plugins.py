"""Puts CNI plugins into a node's folder; a plugin that runs meanwhile is never half a file."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from spiderpool.errors import BadInput

log = logging.getLogger(__name__)


def install_plugins(sources: tuple[Path, ...], folder: Path) -> None:
    """Copy every file of ``sources`` into ``folder``, each taking the old one's place at once.

    Raises:
        BadInput: naming the folder or file that cannot be read or written.
    """
    try:
        for source in sources:
            for path in sorted(source.iterdir()):
                if path.is_file():
                    _replace(path, folder / path.name)
    except OSError as exc:
        raise BadInput(str(exc.filename), f"{exc.strerror}", "mount the folder") from None


def _replace(source: Path, target: Path) -> None:
    """By a draft beside it, on the disk before it gets the name."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, draft)
        draft.chmod(0o755)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    log.info("installed %s", target)
