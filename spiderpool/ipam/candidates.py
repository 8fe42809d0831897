"""Whom a NIC asks for an address of one family, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spiderpool.errors import BadInput
from spiderpool.ipam.facts import Pod
from spiderpool.ipam.ledger import Entry, Ledger, owner_of
from spiderpool.ipam.pools import Pool
from spiderpool.ipam.selection import Choice
from spiderpool.ipam.sticky import inheritance
from spiderpool.types.address import family_of
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import PoolName


@dataclass(frozen=True, slots=True)
class Candidates:
    """``tries``: pools, each with the address to take over in it, if any. ``surrendered``: what
    a predecessor left in pools that the rules do not allow any more, and what the NIC itself
    holds of a pool that is gone, or besides another one."""

    tries: tuple[tuple[Pool, Entry | None], ...]
    surrendered: tuple[Entry, ...] = ()


def candidates(
    choice: Choice,
    pod: Pod,
    holder: Slot,
    ledger: Ledger,
    pools: Mapping[PoolName, Pool | BadInput],
) -> Candidates:
    """First the pool of the address that the NIC holds already, whatever the rules say now;
    then its predecessor's address, if the rules still allow its pool; then what they allow."""
    rest = tuple((pool, None) for pool in choice.usable)
    held = [
        entry
        for entry in ledger.owned(owner_of(holder))
        if entry.slot.state is SlotState.HELD and family_of(entry.address) is choice.family
    ]
    for entry in sorted(held, key=lambda each: each.slot.container_id != holder.container_id):
        pool = pools.get(entry.slot.pool or PoolName(""))
        if isinstance(pool, Pool):
            others = tuple(other for other in held if other != entry)
            return Candidates(((pool, None), *rest), others)
    if holder.owner is None or held:
        return Candidates(rest, tuple(held))
    usable = {pool.name: pool for pool in choice.usable}
    left = [
        entry
        for entry in inheritance(
            ledger.kept(pod.namespace, holder.owner), pod, owner_of(holder).nic
        )
        if family_of(entry.address) is choice.family
    ]
    heirlooms = tuple((usable[e.slot.pool], e) for e in left if e.slot.pool in usable)
    surrendered = tuple(
        entry
        for entry in left
        if entry.slot.pool not in usable and entry.slot.state is SlotState.HELD
    )
    return Candidates((*heirlooms, *rest), surrendered)
