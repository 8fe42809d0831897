"""What becomes of an address that a host answers for which nobody here knows. Pure.

Upstream documents it as C00018 and C00019: a pod that may have any address lets go of it,
one that must have this very address does not, for somebody relies on it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from spiderpool.ipam.ledger import Entry
from spiderpool.types.address import Address
from spiderpool.types.names import IfName


class Fate(enum.Enum):
    """What is done with the address of the NIC that must not use it now."""

    SET_ASIDE = enum.auto()
    KEPT = enum.auto()
    NOT_OURS = enum.auto()


_WORDS = {
    Fate.SET_ASIDE: "it is set aside, and another one will be taken",
    Fate.KEPT: "it stays this pod's, which starts when that host gives it up",
    Fate.NOT_OURS: "whoever gave it to the pod must give another one",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """``mac`` is that of the host which has the address as well."""

    address: Address
    mac: str
    fate: Fate

    def __str__(self) -> str:
        return f"{self.address} is in use by {self.mac}: {_WORDS[self.fate]}"


def fate_of(entry: Entry | None) -> Fate:
    """``entry`` is what the NIC holds there; None when the address is of no pool."""
    if entry is None:
        return Fate.NOT_OURS
    return Fate.SET_ASIDE if entry.slot.owner is None else Fate.KEPT


def complaint(nic: IfName, conflicts: Iterable[Conflict]) -> str:
    """What the pod's events say."""
    return f"{nic}: {'; '.join(map(str, conflicts))}"
