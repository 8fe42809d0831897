"""Small files of the agent's state, each written in one step."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from spiderpool.errors import CniCode, CniError

log = logging.getLogger(__name__)


def store(path: Path, content: bytes, *, durable: bool) -> None:
    """Replace ``path``, or leave it as it was; ``durable`` files survive a power cut (rename(2),
    fsync(2)).

    Raises:
        CniError: 11; the disk is full, or takes nothing. The draft is gone.
    """
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.rename(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        words = f"{path.parent} cannot be written to: {error.strerror}; mend its file system"
        raise CniError(CniCode.TRY_AGAIN_LATER, words) from None


def drop(path: Path, *, durable: bool) -> None:
    """Remove ``path`` if it is there. What cannot be removed holds up no DEL."""
    try:
        path.unlink(missing_ok=True)
        if durable and path.parent.exists():
            _sync_folder(path.parent)
    except OSError as error:
        log.warning("%s stays: %s", path, error.strerror)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
