"""Blocks: which object holds an address, how it is read, and how a change is written."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from spiderpool.types.address import Address, Family, family_of, from_int, to_int
from spiderpool.types.codec import decode, encode
from spiderpool.types.ipblock import Slot, SlotState, SpiderIPBlock

SIZE = 32
"""Addresses in a block. With every field at its longest a block stays under 64 KiB."""
LONGEST_REST = 86400.0
"""Seconds. Nobody lets an address rest for a day: an end that is later was written while a clock
was wrong, and would keep the address for ever."""


@dataclass(frozen=True, slots=True)
class BlockKey:
    """A block by its first address; keys sort as addresses do."""

    family: Family
    base: int

    @property
    def name(self) -> str:
        """The object's name: ``10-6-212-96``, ``fd00-0010-0006-...-0040`` (no ``::``)."""
        if self.family is Family.V4:
            return from_int(self.base, self.family).replace(".", "-")
        digits = f"{self.base:032x}"
        return "-".join(digits[at : at + 4] for at in range(0, 32, 4))

    def address(self, offset: int) -> Address:
        return from_int(self.base + offset, self.family)


def key_of(address: str) -> BlockKey:
    """The block that holds an address."""
    return BlockKey(family_of(address), to_int(address) & -SIZE)


@functools.lru_cache(maxsize=4096)
def addresses(key: BlockKey) -> tuple[Address, ...]:
    """The addresses of a block, in order; kept, since blocks are read again and again."""
    return tuple(key.address(offset) for offset in range(SIZE))


@dataclass(frozen=True, slots=True)
class Block:
    """A block as the API has it. A slot that someone deleted by hand is None: not to be used."""

    key: BlockKey
    uid: str
    slots: tuple[Slot | None, ...]
    busy: int
    """Bitmap of addresses that are held or lost: out of reach whatever the time."""
    waiting: tuple[tuple[float, int], ...]
    """(end in seconds since 1970, offset) of addresses that cool down or are set aside."""

    def busy_at(self, now: float) -> int:
        """Bitmap of what cannot be given at ``now``."""
        latest = now + LONGEST_REST
        return self.busy | sum(
            1 << offset for until, offset in self.waiting if now < until <= latest
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One address gets ``slot`` if its generation still is the one ``before``."""

    address: Address
    before: Slot
    slot: Slot


def read_block(obj: Mapping[str, Any], before: Block | None = None) -> Block:
    """A block from its API object; slots of an unchanged generation come from ``before``.

    Raises:
        BadInput: naming the block and the slot.
    """
    spec, uid = obj["spec"], obj["metadata"].get("uid", "")
    key, raw = key_of(spec["base"]), spec.get("slots") or {}
    known = before.slots if before and before.uid == uid else (None,) * SIZE
    slots: list[Slot | None] = []
    busy, waiting = 0, []
    for offset, address in enumerate(addresses(key)):
        slot, item = known[offset], raw.get(address)
        if item is None:
            slot = None
        elif slot is None or slot.generation != item.get("generation", 0):
            slot = decode(Slot, item, f"{SpiderIPBlock.KIND.where(obj)}: spec.slots[{address}]")
        if slot is None or slot.state is SlotState.HELD:
            busy |= 1 << offset
        elif slot.state is not None:
            waiting.append((seconds(slot.until), offset))
        slots.append(slot)
    return Block(key, uid, tuple(slots), busy, tuple(waiting))


def new_object(key: BlockKey, changes: Iterable[Change]) -> dict[str, Any]:
    """A block that does not exist yet, with its first owners in it."""
    slots: dict[str, Any] = {key.address(offset): {"generation": 0} for offset in range(SIZE)}
    slots |= {change.address: encode(change.slot) for change in changes}
    return {
        "apiVersion": SpiderIPBlock.KIND.api_version,
        "kind": SpiderIPBlock.KIND.kind,
        "metadata": {"name": key.name},
        "spec": {"base": key.address(0), "slots": slots},
    }


def patch_body(block: Block, changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The JSON Patch (RFC 6902) of changes in one block: all of them or none.

    It names the block's UID, too: in one that was deleted and made anew generations begin again.
    """
    body: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/uid", "value": block.uid}]
    for change in changes:
        path = f"/spec/slots/{change.address}"
        generation = change.before.generation
        body.append({"op": "test", "path": f"{path}/generation", "value": generation})
        body.append({"op": "replace", "path": path, "value": encode(change.slot)})
    return body


def by_block(changes: Iterable[Change]) -> dict[BlockKey, list[Change]]:
    grouped: dict[BlockKey, list[Change]] = defaultdict(list)
    for change in changes:
        grouped[key_of(change.address)].append(change)
    return grouped


def successor(slot: Slot, **fields: Any) -> Slot:
    """``slot`` with other fields and the next generation."""
    return replace(slot, generation=slot.generation + 1, **fields)


def rest_of(until: str | None, now: float) -> float:
    """For how many more seconds an address is not given, unless there is no other; 0: it is."""
    rest = seconds(until) - now
    return rest if 0 < rest <= LONGEST_REST else 0.0


def seconds(until: str | None) -> float:
    """RFC 3339 text as seconds since 1970; no text is the beginning of time."""
    return datetime.fromisoformat(until).timestamp() if until else 0.0


def timestamp(moment: float) -> str:
    """Seconds since 1970 as RFC 3339 text in UTC, with milliseconds."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
