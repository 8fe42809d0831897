"""Which routing table and rule priority belong to a NIC: a function of its name alone.

``eth0`` -> table 99, priority 32761; ``net1`` -> 100, 32760; ``net2`` -> 101, 32759; ...
``net152`` -> 251, 32609. ``veth0``, the way to the node in underlay mode, has 98 and 32762.
Any other name hashes to a table from 2^30 on (30 bits of CRC-32); those NICs share one
priority, which is fine because their rules match disjoint sources. Two names of one pod
meet in one table with a probability of 10^-9; :func:`ensure_distinct` refuses that.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from spiderpool.errors import BadInput
from spiderpool.types.names import IfName, TableID

FIRST_NIC = IfName("eth0")
NODE_VETH = IfName("veth0")

_FIRST_TABLE = 99
_FIRST_PRIORITY = 32761
_HIGHEST_NUMBER = 152
"""``net152`` -> table 251; 252 is left free, 253 to 255 are the kernel's."""
_HASHED_TABLES = 1 << 30
_HASHED_PRIORITY = 32600


def slot_of(nic: IfName, first: IfName = FIRST_NIC) -> int | None:
    """0 for the pod's first NIC, -1 for ``veth0``, N for ``netN``; None for other names."""
    if nic == first:
        return 0
    if nic == NODE_VETH:
        return -1
    digits = nic.removeprefix("net")
    plain = nic.startswith("net") and digits.isascii() and digits.isdigit() and digits[0] != "0"
    return int(digits) if plain and int(digits) <= _HIGHEST_NUMBER else None


def table_of(nic: IfName, first: IfName = FIRST_NIC) -> TableID:
    """The routing table that belongs to the NIC."""
    slot = slot_of(nic, first)
    if slot is None:
        return TableID(_HASHED_TABLES | zlib.crc32(nic.encode()) & (_HASHED_TABLES - 1))
    return TableID(_FIRST_TABLE + slot)


def priority_of(nic: IfName, first: IfName = FIRST_NIC) -> int:
    """The priority of the NIC's ``from <address> lookup <table>`` rules."""
    slot = slot_of(nic, first)
    return _HASHED_PRIORITY if slot is None else _FIRST_PRIORITY - slot


def ensure_distinct(nics: Iterable[IfName], first: IfName = FIRST_NIC) -> None:
    """Refuse two NICs whose names lead to one table.

    Raises:
        BadInput: naming both.
    """
    owners: dict[TableID, IfName] = {}
    for nic in nics:
        other = owners.setdefault(table_of(nic, first), nic)
        if other != nic:
            raise BadInput(
                f"interface {nic}",
                f"its name leads to the same routing table as {other}",
                "give one of them another name, best netN",
            )
