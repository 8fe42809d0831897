"""Every block that is known, indexed the ways that decisions ask.

Plain data without I/O: an informer feeds it in the agent and the controller, a list does
in ``spiderpoolctl`` and in tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.ipam.blocks import (
    SIZE,
    Block,
    BlockKey,
    Change,
    by_block,
    key_of,
    patch_body,
    read_block,
)
from spiderpool.types.address import Address, Family, to_int
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, PodUID, PoolName


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom an address belongs to: one NIC of one pod, by UID and never by name."""

    pod_uid: PodUID
    nic: IfName


@dataclass(frozen=True, slots=True)
class Entry:
    """An address with its slot."""

    address: Address
    slot: Slot


@dataclass(frozen=True, slots=True)
class Patch:
    """The JSON Patch (RFC 6902) of the block ``name`` that makes ``changes``, all or none."""

    name: str
    changes: tuple[Change, ...]
    body: tuple[Mapping[str, Any], ...]


def owner_of(slot: Slot) -> Owner:
    """The owner that a slot with a state names."""
    assert slot.pod_uid is not None and slot.nic is not None
    return Owner(slot.pod_uid, slot.nic)


class Ledger:
    """Blocks by key, and the addresses of an owner, of a pod's name and of a pool."""

    def __init__(self, objects: Iterable[Mapping[str, Any]] = ()) -> None:
        self._blocks: dict[BlockKey, Block] = {}
        self._waiting: set[BlockKey] = set()
        self._owners: dict[PodUID, dict[Address, Slot]] = {}
        self._pods: dict[str, dict[Address, Slot]] = {}
        self._pools: dict[PoolName, dict[Address, Slot]] = {}
        self._keepers: dict[tuple[str, str], dict[Address, Slot]] = {}
        for obj in objects:
            self.apply(None, obj)

    def apply(self, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
        """Follow one change of a block; the signature is an informer's handler."""
        gone = new is None
        obj = old if new is None else new
        if obj is None:
            return
        key = key_of(obj["spec"]["base"])
        before = self._blocks.get(key)
        if gone:
            self._blocks.pop(key, None)
        else:
            self._blocks[key] = read_block(obj, before)
        after = self._blocks.get(key)
        if after is not None and after.waiting:
            self._waiting.add(key)
        else:
            self._waiting.discard(key)
        self._reindex(key, before, after)

    def block(self, key: BlockKey) -> Block | None:
        return self._blocks.get(key)

    def slot(self, address: Address) -> Slot | None:
        """The slot of an address; None when its block does not exist or has lost it."""
        key = key_of(address)
        block = self._blocks.get(key)
        return block.slots[to_int(address) - key.base] if block else None

    def owned(self, owner: Owner) -> list[Entry]:
        """What a NIC holds, or held and nobody has taken since; lowest first."""
        found = self._owners.get(owner.pod_uid, {})
        return _entries((a, slot) for a, slot in found.items() if slot.nic == owner.nic)

    def of_pod(self, pod_uid: PodUID) -> list[Entry]:
        """As :meth:`owned`, for all NICs of a pod."""
        return _entries(self._owners.get(pod_uid, {}).items())

    def named(self, pod: str) -> list[Entry]:
        """As :meth:`of_pod` by ``namespace/name``, for any pod of that name, alive or not."""
        return _entries(self._pods.get(pod, {}).items())

    def kept(self, namespace: str, keeper: str) -> list[Entry]:
        """What a keeper (``StatefulSet/web``) of a namespace has over all its pods."""
        return _entries(self._keepers.get((namespace, keeper), {}).items())

    def in_pool(self, pool: PoolName) -> list[Entry]:
        """What was taken from a pool and not taken by someone else since; lowest first."""
        return _entries(self._pools.get(pool, {}).items())

    def waiting(self, family: Family, state: SlotState) -> Iterator[Entry]:
        """Addresses that cool down or are set aside, those whose time has passed too."""
        for key in self._waiting:
            if key.family is family:
                for _, offset in self._blocks[key].waiting:
                    slot = self._blocks[key].slots[offset]
                    if slot is not None and slot.state is state:
                        yield Entry(key.address(offset), slot)

    def pools(self) -> set[PoolName]:
        """The pools that any address names."""
        return {pool for pool, found in self._pools.items() if found}

    def entries(self) -> Iterator[Entry]:
        """Every address with a state: held, cooling, set aside, or once so."""
        for key, block in self._blocks.items():
            for offset, slot in enumerate(block.slots):
                if slot is not None and slot.state is not None:
                    yield Entry(key.address(offset), slot)

    def patches(self, changes: Iterable[Change]) -> list[Patch]:
        """What carries changes out of slots that are here, a patch for each block."""
        return [
            Patch(key.name, tuple(group), tuple(patch_body(self._blocks[key], group)))
            for key, group in by_block(changes).items()
        ]

    def held(self, pool: PoolName) -> list[Entry]:
        return [e for e in self.in_pool(pool) if e.slot.state is SlotState.HELD]

    def _reindex(self, key: BlockKey, before: Block | None, after: Block | None) -> None:
        nothing = (None,) * SIZE
        old, new = before.slots if before else nothing, after.slots if after else nothing
        for offset, (was, now) in enumerate(zip(old, new, strict=True)):
            if was is not now:
                address = key.address(offset)
                self._forget(address, was)
                self._remember(address, now)

    def _forget(self, address: Address, slot: Slot | None) -> None:
        for index, name in self._places(slot):
            found = index.get(name, {})
            found.pop(address, None)
            if not found:
                index.pop(name, None)

    def _remember(self, address: Address, slot: Slot | None) -> None:
        for index, name in self._places(slot):
            if slot is not None:
                index.setdefault(name, {})[address] = slot

    def _places(self, slot: Slot | None) -> Iterator[tuple[dict[Any, dict[Address, Slot]], Any]]:
        if slot is not None and slot.state is not None:
            yield self._owners, slot.pod_uid
            yield self._pods, slot.pod
            yield self._pools, slot.pool
            if slot.owner and slot.pod:
                yield self._keepers, (slot.pod.partition("/")[0], slot.owner)


def _entries(pairs: Iterable[tuple[Address, Slot]]) -> list[Entry]:
    return [Entry(a, slot) for a, slot in sorted(pairs, key=lambda pair: to_int(pair[0]))]
