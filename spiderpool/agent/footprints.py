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

from spiderpool.agent.storing import drop, store
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
        """An earlier one of the attachment is replaced.

        Raises:
            CniError: see :func:`spiderpool.agent.storing.store`.
        """
        path = self._path(footprint.container, footprint.nic)
        store(path, orjson.dumps(asdict(footprint)), durable=False)

    def forget(self, container: ContainerID, nic: IfName) -> None:
        """Nothing is left of the attachment."""
        drop(self._path(container, nic), durable=False)

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
