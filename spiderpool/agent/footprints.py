"""Footprints of the node's attachments, one small file each, so that a restart forgets none.

Written without fsync: after a power cut there are no namespaces to clean up either.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from spiderpool.coordinator.footprint import Footprint
from spiderpool.types.names import ContainerID, IfName, TableID

log = logging.getLogger(__name__)

_SUFFIX = ".json"


class Footprints:
    """The files below ``folder``; unreadable ones count as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, container: ContainerID, nic: IfName) -> Footprint | None:
        """What the attachment left, if it is known."""
        return _read(self._path(container, nic))

    def save(self, footprint: Footprint) -> None:
        """Store in one step; an earlier one of the attachment is replaced."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(footprint.container, footprint.nic)
        draft = path.with_suffix(".new")
        draft.write_bytes(orjson.dumps(asdict(footprint)))
        draft.rename(path)

    def forget(self, container: ContainerID, nic: IfName) -> None:
        """Nothing is left of the attachment."""
        self._path(container, nic).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Footprint]:
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            if (found := _read(path)) is not None:
                yield found

    def _path(self, container: ContainerID, nic: IfName) -> Path:
        """Link names may hold any byte, so the name is a hash."""
        key = hashlib.sha256(f"{container}\0{nic}".encode()).hexdigest()[:32]
        return self._folder / (key + _SUFFIX)


def _read(path: Path) -> Footprint | None:
    try:
        return _footprint(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as exc:
        log.warning("%s is not readable and passed over: %s", path, exc)
        return None


def _footprint(fields: dict[str, Any]) -> Footprint:
    addresses, table = tuple(fields.pop("addresses")), TableID(fields.pop("table"))
    return Footprint(**fields, addresses=addresses, table=table)
