"""How many addresses of a pool are in which state."""

from __future__ import annotations

from dataclasses import dataclass

from spiderpool.ipam.blocks import rest_of
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.ranges import Ranges
from spiderpool.types.address import to_int
from spiderpool.types.ipblock import SlotState
from spiderpool.types.names import PoolName


@dataclass(frozen=True, slots=True)
class Tally:
    """``usable`` is what the pool may ever give; ``free`` what it may give at once."""

    usable: int
    held: int = 0
    cooling: int = 0
    set_aside: int = 0

    @property
    def free(self) -> int:
        return self.usable - self.held - self.cooling - self.set_aside

    def __str__(self) -> str:
        parts = [f"{self.free} of {self.usable} free"]
        if self.cooling:
            parts.append(f"{self.cooling} cooling down")
        if self.set_aside:
            parts.append(f"{self.set_aside} set aside")
        return ", ".join(parts)


def tally(ledger: Ledger, pool: PoolName, ground: Ranges, now: float) -> Tally:
    """Counted at ``now``, in seconds since 1970; what the pool gave outside of its present
    ``ground`` does not count."""
    states = [
        entry.slot.state
        for entry in ledger.in_pool(pool)
        if to_int(entry.address) in ground
        and (entry.slot.state is SlotState.HELD or rest_of(entry.slot.until, now))
    ]
    return Tally(
        ground.size,
        held=states.count(SlotState.HELD),
        cooling=states.count(SlotState.COOLING),
        set_aside=states.count(SlotState.SET_ASIDE),
    )
