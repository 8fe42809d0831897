"""What a NIC holds already is asked for again, whatever the rules have become meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from spiderpool.errors import BadInput
from spiderpool.ipam.ledger import Ledger, owner_of
from spiderpool.ipam.pools import Pool
from spiderpool.ipam.selection import Choice
from spiderpool.types.address import family_of
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import PoolName


def standing(
    holder: Slot, ledger: Ledger, pools: Mapping[PoolName, Pool | BadInput]
) -> tuple[Choice, ...]:
    """By family, the pool of the address that the NIC of ``holder`` holds."""
    found = {}
    for entry in ledger.owned(owner_of(holder)):
        name, family = entry.slot.pool, family_of(entry.address)
        if entry.slot.state is SlotState.HELD and name and isinstance(pools.get(name), Pool):
            found[family] = Choice(family, "what the NIC holds", (name,), (), ())
    return tuple(found[family] for family in sorted(found))


def with_standing(asked: tuple[Choice, ...], kept: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """What the rules say, and the families that only an earlier rule gave."""
    families = {choice.family for choice in asked}
    return asked + tuple(choice for choice in kept if choice.family not in families)
