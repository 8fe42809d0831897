"""Which address is given, taken back, cooled down or set aside: asks in, verdicts out.

Everything asked of one pool is decided together, in the order it was asked. Nothing is
written here: a change names the generation that it was decided on, and only the write
makes it true.

Rules: an owner that has, or has just had, an address of the pool gets that one, under a new
generation: whatever was decided before, and is written late, changes nothing. Else the
lowest free address; one that cools down only when the pool has no other, then the one
idle for longest; one that is set aside never before its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from spiderpool.ipam.blocks import (
    SIZE,
    BlockKey,
    Change,
    key_of,
    rest_of,
    seconds,
    successor,
    timestamp,
)
from spiderpool.ipam.filters import Skipped, SkipReason
from spiderpool.ipam.ledger import Entry, Ledger, Owner, owner_of
from spiderpool.ipam.ranges import Ranges
from spiderpool.types.address import Address, to_int
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import PoolName

COOL_SECONDS = 30.0
"""How long a released address rests, so that peers forget its last owner."""

FREE = Slot()
FULL = (1 << SIZE) - 1
LANES_IN_BLOCK = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """A NIC asks for an address. ``holder`` is the slot as it shall be, but for generation.

    ``heir_of`` is what its predecessor holds, to be taken over while it is still as seen.
    ``tried`` was not answered, so it may still be done. It is tried again for as long as that
    is so: of two writes of one change only one succeeds, of two changes both may.
    """

    holder: Slot
    heir_of: Entry | None = None
    tried: Change | None = None

    @property
    def owner(self) -> Owner:
        return owner_of(self.holder)


@dataclass(frozen=True, slots=True)
class Release:
    """An owner gives an address back. It counts only while the slot is his, and as he saw it."""

    address: Address
    owner: Owner
    generation: int
    cool_seconds: float = COOL_SECONDS


@dataclass(frozen=True, slots=True)
class SetAside:
    """An owner found that someone else answers for the address; nobody gets it for a while."""

    address: Address
    owner: Owner
    seconds: float


Ask = Claim | Release | SetAside


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing needs to be written: the owner does not hold the address, or not any more."""

    address: Address


@dataclass(frozen=True, slots=True)
class Again:
    """Something asked before in the same round changes that very address: ask again after."""


Verdict = Change | Settled | Skipped | Again
"""Write this; nothing to write; the pool has nothing to give, and why; not now."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One of ``count`` (a power of two) classes of addresses. Lanes take turns by blocks, so
    that what one writer gives lies in few of them; in a pool of fewer blocks than lanes up to
    four share each block."""

    number: int = 0
    count: int = 1

    def places(self, base: int, blocks: int) -> int:
        """Bitmap of the lane's addresses in the block at ``base``, in a pool of so many blocks."""
        inner = 1 if blocks >= self.count else min(self.count, LANES_IN_BLOCK)
        outer = self.count // inner
        if base // SIZE % outer != self.number // inner:
            return 0
        return FULL // ((1 << inner) - 1) << self.number % inner & FULL


@dataclass(slots=True)
class Desk:
    """Decides one round of asks of one pool against a ledger, at one moment.

    ``ground`` are the addresses that the pool may give (:func:`spiderpool.ipam.pools.grounds`).
    ``now`` is in seconds since 1970. Of the free addresses those of ``lane`` go
    first, so that nodes that decide at the same time need not take each other's.
    """

    ledger: Ledger
    pool: PoolName
    ground: Ranges
    now: float
    lane: Lane = field(default_factory=Lane)
    _taken: dict[BlockKey, int] = field(default_factory=dict, init=False)
    _served: set[Owner] = field(default_factory=set, init=False)

    def decide(self, asks: Sequence[Ask]) -> list[Verdict]:
        """A verdict for each ask, in order; what one gets is out of reach of the next."""
        free = chain(self._free(mine=True), self._free(mine=False))
        return [self._decide(ask, free) for ask in asks]

    def _decide(self, ask: Ask, free: Iterator[Address]) -> Verdict:
        match ask:
            case Claim():
                verdict = self._claim(ask, free)
                self._served.add(ask.owner)
            case Release() | SetAside() if self._is_taken(ask.address):
                verdict = Again()
            case Release():
                verdict = self._release(ask)
            case SetAside():
                verdict = self._set_aside(ask)
        if isinstance(verdict, Change):
            key = key_of(verdict.address)
            bit = 1 << (to_int(verdict.address) - key.base)
            self._taken[key] = self._taken.get(key, 0) | bit
        return verdict

    def _claim(self, ask: Claim, free: Iterator[Address]) -> Verdict:
        known = self._known(ask.owner)
        if ask.owner in self._served or (known and self._is_taken(known.address)):
            return Again()
        if known and known.slot.state is SlotState.HELD:
            renewed = replace(ask.holder, generation=known.slot.generation, pool=self.pool)
            return Change(known.address, known.slot, successor(renewed))
        if ask.tried is not None and self._may_still_happen(ask.tried):
            return Again() if self._is_taken(ask.tried.address) else ask.tried
        if known is None and ask.heir_of is not None:
            return self._inherit(ask.heir_of, ask.holder)
        address = known.address if known else (next(free, None) or self._longest_idle())
        if address is None:
            return Skipped(self.pool, SkipReason.FULL, self.why_full())
        before = self.ledger.slot(address) or FREE
        slot = replace(ask.holder, generation=before.generation + 1, pool=self.pool)
        return Change(address, before, slot)

    def _may_still_happen(self, change: Change) -> bool:
        slot = self.ledger.slot(change.address) or FREE
        return slot.generation == change.before.generation

    def _inherit(self, legacy: Entry, holder: Slot) -> Verdict:
        before = self.ledger.slot(legacy.address)
        if before is None or before.generation != legacy.slot.generation:
            return Skipped(self.pool, SkipReason.FULL, f"{legacy.address} has just been taken")
        if before.state is SlotState.COOLING and to_int(legacy.address) not in self.ground:
            return Skipped(self.pool, SkipReason.FULL, f"{legacy.address} is not given any more")
        if self._is_taken(legacy.address):
            return Again()
        slot = replace(holder, generation=before.generation + 1, pool=self.pool)
        return Change(legacy.address, before, slot)

    def _known(self, owner: Owner) -> Entry | None:
        """What the owner holds of this pool; else what he held and may have again."""
        mine = [entry for entry in self.ledger.owned(owner) if entry.slot.pool == self.pool]
        held = [entry for entry in mine if entry.slot.state is SlotState.HELD]
        cooling = [
            entry
            for entry in mine
            if entry.slot.state is SlotState.COOLING and to_int(entry.address) in self.ground
        ]
        return next(iter(held + cooling), None)

    def _free(self, mine: bool) -> Iterator[Address]:
        """Addresses that nobody has, lowest first, of the own lane or of the others; looks at
        what was taken as it goes."""
        family, blocks = self.ground.family, self.ground.size // SIZE
        for first, last in self.ground.intervals:
            for base in range(first & -SIZE, last + 1, SIZE):
                key = BlockKey(family, base)
                block = self.ledger.block(key)
                busy = block.busy_at(self.now) if block else 0
                places = self.lane.places(base, blocks)
                vacant = _bits(first - base, last - base) & ~busy & (places if mine else ~places)
                while vacant:
                    lowest = vacant & -vacant
                    vacant ^= lowest
                    if not self._taken.get(key, 0) & lowest:
                        yield key.address(lowest.bit_length() - 1)

    def _longest_idle(self) -> Address | None:
        cooling = [
            (seconds(entry.slot.until), to_int(entry.address), entry.address)
            for entry in self.ledger.waiting(self.ground.family, SlotState.COOLING)
            if to_int(entry.address) in self.ground and not self._is_taken(entry.address)
        ]
        return min(cooling)[2] if cooling else None

    def _release(self, ask: Release) -> Verdict:
        slot = self._still_held(ask.address, ask.owner)
        if slot is None or slot.generation != ask.generation:
            return Settled(ask.address)
        if ask.cool_seconds <= 0:
            return Change(ask.address, slot, Slot(generation=slot.generation + 1))
        until = timestamp(self.now + ask.cool_seconds)
        cooling = successor(slot, state=SlotState.COOLING, until=until)
        return Change(ask.address, slot, cooling)

    def _set_aside(self, ask: SetAside) -> Verdict:
        slot = self._still_held(ask.address, ask.owner)
        if slot is None:
            return Settled(ask.address)
        until = timestamp(self.now + ask.seconds)
        aside = successor(slot, state=SlotState.SET_ASIDE, until=until)
        return Change(ask.address, slot, aside)

    def _still_held(self, address: Address, owner: Owner) -> Slot | None:
        slot = self.ledger.slot(address)
        held = slot is not None and slot.state is SlotState.HELD and owner_of(slot) == owner
        return slot if held else None

    def _is_taken(self, address: Address) -> bool:
        key = key_of(address)
        return bool(self._taken.get(key, 0) >> (to_int(address) - key.base) & 1)

    def why_full(self) -> str:
        """``all IP addresses used out: 99/101 (2 set aside, the first until ...)``, or that
        nothing of the pool may be given."""
        aside = [
            entry.slot.until or ""
            for entry in self.ledger.waiting(self.ground.family, SlotState.SET_ASIDE)
            if to_int(entry.address) in self.ground and rest_of(entry.slot.until, self.now)
        ]
        size = self.ground.size
        if size == 0:
            return "it has no address to give: all are excluded, reserved, nodes' or the gateway"
        text = f"all IP addresses used out: {size - len(aside)}/{size}"
        return text + (f" ({len(aside)} set aside, the first until {min(aside)})" if aside else "")


def undoing(change: Change, now: float) -> Release | None:
    """How an address comes back of which nobody was told: it rests for as long as it would
    have. None where it was held before: it stays with its owner, or with his heir."""
    if change.slot.state is not SlotState.HELD or change.before.state is SlotState.HELD:
        return None
    rest = rest_of(change.before.until, now)
    return Release(change.address, owner_of(change.slot), change.slot.generation, rest)


def _bits(low: int, high: int) -> int:
    """Bits ``low`` to ``high`` of a block, both cut to it."""
    low, high = max(low, 0), min(high, SIZE - 1)
    return ((1 << (high - low + 1)) - 1) << low
