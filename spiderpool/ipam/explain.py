"""Why a NIC has, or would get, its address: what every pool says, by what ADD itself asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from spiderpool.errors import BadInput
from spiderpool.ipam.allocation import Claim, Desk
from spiderpool.ipam.blocks import Change
from spiderpool.ipam.candidates import Candidates, candidates
from spiderpool.ipam.facts import Pod
from spiderpool.ipam.filters import Skipped
from spiderpool.ipam.ledger import Entry, Ledger, owner_of
from spiderpool.ipam.pools import Pool
from spiderpool.ipam.ranges import Ranges
from spiderpool.ipam.selection import Choice
from spiderpool.ipam.tally import tally
from spiderpool.types.address import Address
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import PoolName


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one pool says to the NIC; ``address`` is what it gives."""

    pool: PoolName
    text: str
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Pools in the order in which they are asked, then those that are passed over."""

    choice: Choice
    opinions: tuple[Opinion, ...]

    @property
    def outcome(self) -> Opinion | None:
        """The first that gives; None when an ADD would fail."""
        return next((each for each in self.opinions if each.address), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All that a decision is made on; ``ground``: what a pool may give."""

    ledger: Ledger
    pools: Mapping[PoolName, Pool | BadInput]
    ground: Callable[[PoolName], Ranges]
    now: float


def explain(choice: Choice, pod: Pod, holder: Slot, books: Books) -> Explanation:
    """What would happen if the NIC that ``holder`` names asked now; writes nothing."""
    asked = candidates(choice, pod, holder, books.ledger, books.pools)
    opinions = list(_asked(asked, holder, books))
    opinions += [Opinion(skipped.pool, skipped.text) for skipped in choice.skipped]
    for entry in asked.surrendered:
        words = f"{entry.address} of its predecessor is given back: the rules allow this no more"
        opinions.append(Opinion(entry.slot.pool or PoolName(""), words))
    return Explanation(choice, tuple(opinions))


def _asked(asked: Candidates, holder: Slot, books: Books) -> Iterator[Opinion]:
    found = False
    for pool, heirloom in asked.tries:
        if found:
            counts = tally(books.ledger, pool.name, books.ground(pool.name), books.now)
            yield Opinion(pool.name, f"is asked when those before it have nothing; {counts}")
            continue
        opinion = _opinion(pool, Claim(holder, heirloom), books)
        found = opinion.address is not None
        yield opinion


def _opinion(pool: Pool, claim: Claim, books: Books) -> Opinion:
    ground = books.ground(pool.name)
    (verdict,) = Desk(books.ledger, pool.name, ground, books.now).decide([claim])
    match verdict:
        case Change(address, before):
            return Opinion(pool.name, _why(address, before, claim, pool, books), address)
        case Skipped():
            return Opinion(pool.name, verdict.text)
        case _:
            raise AssertionError("one ask alone never has to wait")


def _why(address: Address, before: Slot, claim: Claim, pool: Pool, books: Books) -> str:
    counts = tally(books.ledger, pool.name, books.ground(pool.name), books.now)
    if isinstance(claim.heir_of, Entry):
        return f"{address} is taken over from the earlier {claim.heir_of.slot.pod}"
    if before.state is None:
        return f"{address} is the lowest free one; {counts}"
    if owner_of(before) == claim.owner:
        if before.state is SlotState.HELD:
            return f"{address} is held by the NIC, for sandbox {before.container_id}"
        return f"{address} was the NIC's before, and nobody has taken it since"
    if before.until and counts.free == 0:
        return f"{address} cools down since {before.pod} and is the one idle for longest; {counts}"
    return f"{address} is the lowest free one; {counts}"
