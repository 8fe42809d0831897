"""The node's devices that the agent made, and whose they are, one small file each.

Written with fsync: after a reboot they are made again before pods ask for them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from spiderpool.agent.storing import drop, store
from spiderpool.ifacer.devices import BondDevice, Device, VlanDevice
from spiderpool.types.address import Address
from spiderpool.types.names import ContainerID, IfName

log = logging.getLogger(__name__)

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True, order=True)
class User:
    """An attachment that stands upon a device."""

    container: ContainerID
    nic: IfName
    network: str


@dataclass(frozen=True, slots=True)
class Known:
    """A device of ours; ``idle`` are members that were down before it was made."""

    device: Device
    users: frozenset[User]
    idle: tuple[IfName, ...] = ()


class Devices:
    """The files below ``folder``; unreadable ones count as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: IfName) -> Known | None:
        """The device of that name, if it is one of ours."""
        return _read(self._path(name))

    def save(self, known: Known) -> None:
        """Store for good.

        Raises:
            CniError: see :func:`spiderpool.agent.storing.store`.
        """
        store(self._path(known.device.name), orjson.dumps(_fields(known)), durable=True)

    def forget(self, name: IfName) -> None:
        """It is gone, or not ours any more."""
        drop(self._path(name), durable=True)

    def __iter__(self) -> Iterator[Known]:
        """Bonds before the VLANs that may stand upon them."""
        found = [_read(path) for path in sorted(self._folder.glob(f"*{_SUFFIX}"))]
        known = [each for each in found if each is not None]
        return iter(sorted(known, key=lambda each: isinstance(each.device, VlanDevice)))

    def _path(self, name: IfName) -> Path:
        """Link names may hold any byte, so the file's name is a hash."""
        return self._folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + _SUFFIX)


def _fields(known: Known) -> dict[str, Any]:
    users = [asdict(user) for user in sorted(known.users)]
    return {"device": asdict(known.device), "users": users, "idle": known.idle}


def _read(path: Path) -> Known | None:
    try:
        fields = orjson.loads(path.read_bytes())
        users = frozenset(User(**user) for user in fields["users"])
        return Known(_device(fields["device"]), users, tuple(fields["idle"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as exc:
        log.warning("%s is not readable and passed over: %s", path, exc)
        return None


def _device(fields: dict[str, Any]) -> Device:
    if "vlan" in fields:
        return VlanDevice(**fields)
    settings = tuple(
        (name, tuple(map(Address, value)) if isinstance(value, list) else value)
        for name, value in fields["settings"]
    )
    return BondDevice(fields["name"], tuple(fields["members"]), settings)
