"""What must be true of the addresses of a cluster at any time, and what is not.

One list for users (``spiderpoolctl check``), for tests and for the end of every scenario.
It reads API objects as they are listed and trusts none of them.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from spiderpool.errors import BadInput
from spiderpool.ipam.blocks import SIZE, key_of
from spiderpool.ipam.facts import Pod, node_addresses, read_pod, why_dead
from spiderpool.ipam.ledger import Entry, Ledger, owner_of
from spiderpool.ipam.pools import Pool, grounds, read_pool, read_reserved
from spiderpool.ipam.reclaim import reported_by
from spiderpool.ipam.sticky import keeper_of
from spiderpool.types.address import (
    Address,
    Family,
    address_of,
    family_of,
    parse_address,
    to_int,
)
from spiderpool.types.ipblock import Slot, SlotState

Object = Mapping[str, Any]

LARGEST_BLOCK = 65536
"""Bytes of a block as JSON: small enough that a write costs no more than its round trip."""


class Rule(enum.StrEnum):
    """What can be broken; the value is the rule."""

    BLOCK = "a block is readable, lies on its boundary and has every slot"
    SIZE = "a block is at most 64 KiB"
    RECORD = "a slot with a state names owner and pool, one that waits also its end"
    ONE_ADDRESS = "a NIC holds at most one address of a family"
    GROUND = "a held address is one that its pool may give"
    COUNT = "a pool's status counts what its blocks hold"
    ENDPOINT = "an endpoint and the blocks agree"
    OWNER = "an address is held for a pod that exists and has not finished"
    USE = "an address of a pool that a live pod reports is held by that pod"
    GENERATION = "a slot changes only together with its generation, which only grows"


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where a rule does not hold."""

    rule: Rule
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text} (rule: {self.rule})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Lists of API objects, as read. ``pods`` is None where owners are not to be judged;
    ``statuses`` tells whether the counts of pools have had time to follow."""

    blocks: Sequence[Object] = ()
    pools: Sequence[Object] = ()
    reserved: Sequence[Object] = ()
    nodes: Sequence[Object] = ()
    endpoints: Sequence[Object] = ()
    pods: Sequence[Object] | None = None
    statuses: bool = True


@dataclass(frozen=True, slots=True)
class _Case:
    """The evidence, read once for all rules."""

    evidence: Evidence
    ledger: Ledger
    held: tuple[Entry, ...]
    pools: Mapping[str, Pool] = field(default_factory=dict)


def problems(evidence: Evidence) -> list[Problem]:
    """Everything that is wrong; blocks that cannot be read hide what they hold."""
    found = list(_blocks(evidence.blocks))
    unreadable = {problem.where for problem in found if problem.rule is Rule.BLOCK}
    readable = [obj for obj in evidence.blocks if _name(obj) not in unreadable]
    ledger = Ledger(readable)
    held = tuple(e for e in ledger.entries() if e.slot.state is SlotState.HELD)
    case = _Case(evidence, ledger, held, _readable_pools(evidence.pools))
    for rule in (_records, _one_address, _grounds, _counts, _endpoints, _owners, _uses):
        found += rule(case)
    return found


def changes(before: Sequence[Object], after: Sequence[Object]) -> list[Problem]:
    """What must not have happened between two lists of the same blocks."""
    old, new = Ledger(before), Ledger(after)
    found = []
    for entry in old.entries():
        slot = new.slot(entry.address)
        if slot is None:
            found.append(_moved(entry, "its slot is gone"))
        elif slot.generation < entry.slot.generation:
            words = f"generation went from {entry.slot.generation} to {slot.generation}"
            found.append(_moved(entry, words))
        elif slot.generation == entry.slot.generation and slot != entry.slot:
            found.append(_moved(entry, f"changed within generation {slot.generation}"))
    return found


def _moved(entry: Entry, text: str) -> Problem:
    return Problem(Rule.GENERATION, entry.address, text)


def _name(obj: Object) -> str:
    return f"SpiderIPBlock {obj['metadata']['name']}"


def _blocks(blocks: Iterable[Object]) -> Iterator[Problem]:
    for obj in blocks:
        where = _name(obj)
        try:
            ledger = Ledger([obj])
            base = obj["spec"]["base"]
        except (BadInput, KeyError, OSError, ValueError) as exc:
            yield Problem(Rule.BLOCK, where, f"cannot be read: {exc}")
            continue
        key = key_of(base)
        if to_int(base) != key.base or obj["metadata"]["name"] != key.name:
            yield Problem(Rule.BLOCK, where, f"{base} is not the base of a block of this name")
            continue
        lost = [a for a in map(key.address, range(SIZE)) if ledger.slot(a) is None]
        if lost:
            yield Problem(Rule.BLOCK, where, f"has lost the slots of {', '.join(lost)}")
        size = len(orjson.dumps(obj))
        if size > LARGEST_BLOCK:
            yield Problem(Rule.SIZE, where, f"has {size} bytes")


def _records(case: _Case) -> Iterator[Problem]:
    for entry in case.ledger.entries():
        missing = _missing(entry.slot)
        if missing:
            yield Problem(Rule.RECORD, entry.address, f"{entry.slot.state} without {missing}")


def _missing(slot: Slot) -> str:
    needed: dict[str, object] = {"podUid": slot.pod_uid, "nic": slot.nic, "pool": slot.pool}
    if slot.state is not SlotState.HELD:
        needed["until"] = slot.until
    return ", ".join(name for name, value in needed.items() if not value)


def _one_address(case: _Case) -> Iterator[Problem]:
    found: dict[tuple[object, Family], list[Address]] = defaultdict(list)
    for entry in case.held:
        if not _missing(entry.slot):
            found[owner_of(entry.slot), family_of(entry.address)].append(entry.address)
    for (owner, _), addresses in found.items():
        if len(addresses) > 1:
            yield Problem(Rule.ONE_ADDRESS, str(owner), f"holds {', '.join(addresses)}")


def _grounds(case: _Case) -> Iterator[Problem]:
    try:
        reserved = read_reserved(case.evidence.reserved)
    except BadInput as exc:
        yield Problem(Rule.GROUND, exc.where, f"nothing is given: {exc.problem}")
        return
    nodes = node_addresses(case.evidence.nodes)
    ground = {
        name: grounds(pool, reserved[pool.family], nodes) for name, pool in case.pools.items()
    }
    for entry in case.held:
        if entry.slot.pool not in ground:
            words = f"is held of pool {entry.slot.pool}, which is not there or not readable"
            yield Problem(Rule.GROUND, entry.address, words)
        elif to_int(entry.address) not in ground[entry.slot.pool]:
            words = f"is not among the addresses that pool {entry.slot.pool} may give now"
            yield Problem(Rule.GROUND, entry.address, words)


def _counts(case: _Case) -> Iterator[Problem]:
    if not case.evidence.statuses:
        return
    for obj in case.evidence.pools:
        name = obj["metadata"]["name"]
        told = (obj.get("status") or {}).get("allocatedIPCount", 0)
        held = {e.address: e.slot.pod_uid for e in case.held if e.slot.pool == name}
        if told != len(held):
            words = f"status.allocatedIPCount is {told}, the blocks hold {len(held)}"
            yield Problem(Rule.COUNT, f"SpiderIPPool {name}", words)
        elif (listed := _listed(obj)) is not None and listed != held:
            words = "status.allocatedIPs is not what the blocks hold"
            yield Problem(Rule.COUNT, f"SpiderIPPool {name}", words)


def _listed(pool: Object) -> dict[str, str | None] | None:
    """Address -> UID of its pod, as a pool's status shows them; None when it shows none."""
    text = (pool.get("status") or {}).get("allocatedIPs")
    if not text:
        return None
    try:
        return {address: item.get("podUid") for address, item in orjson.loads(text).items()}
    except (orjson.JSONDecodeError, AttributeError):
        return {}


def _endpoints(case: _Case) -> Iterator[Problem]:
    """Each address that an endpoint shows is held by that pod and NIC, and the other way."""
    shown: set[tuple[str, str, str]] = set()
    for obj in case.evidence.endpoints:
        current = (obj.get("status") or {}).get("current") or {}
        for item in current.get("ips") or ():
            for text in filter(None, (item.get("ipv4"), item.get("ipv6"))):
                shown.add((address_of(text), current.get("uid", ""), item.get("interface", "")))
    held = {(e.address, e.slot.pod_uid or "", e.slot.nic or ""): e for e in case.held}
    for address, uid, nic in sorted(shown - held.keys()):
        words = f"an endpoint gives it to {nic} of pod {uid}, the blocks do not"
        yield Problem(Rule.ENDPOINT, address, words)
    for key in sorted(held.keys() - shown):
        words = f"is held by {key[2]} of {held[key].slot.pod}, and no endpoint says so"
        yield Problem(Rule.ENDPOINT, key[0], words)


def _owners(case: _Case) -> Iterator[Problem]:
    if case.evidence.pods is None:
        return
    pods = {pod.uid: pod for pod in map(read_pod, case.evidence.pods)}
    for entry in case.held:
        pod = pods.get(entry.slot.pod_uid) if entry.slot.pod_uid else None
        reason = why_dead(pod) if pod else "it does not exist"
        if reason and not entry.slot.owner:
            words = f"is held for pod {entry.slot.pod} ({entry.slot.pod_uid}), but {reason}"
            yield Problem(Rule.OWNER, entry.address, words)


def _uses(case: _Case) -> Iterator[Problem]:
    """The other way: who has an address according to his pod has it according to the blocks."""
    for pod in map(read_pod, case.evidence.pods or ()):
        if pod.host_network or why_dead(pod):
            continue
        for address in sorted(map(str, reported_by(pod))):
            slot = _slot_of(case, address)
            if slot is not None and not _is_of(pod, slot):
                holder = f"held by {slot.pod}" if slot.state is SlotState.HELD else "held by nobody"
                words = f"is reported by Pod {pod.key} ({pod.uid}), and {holder}"
                yield Problem(Rule.USE, address, words)


def _slot_of(case: _Case, text: str) -> Slot | None:
    """The slot of an address that is one of a pool's; None for others."""
    try:
        address = parse_address(text, "Pod")
    except BadInput:
        return None
    pools = (p for p in case.pools.values() if p.family is family_of(address))
    if any(to_int(address) in pool.listed for pool in pools):
        return case.ledger.slot(address) or Slot()
    return None


def _is_of(pod: Pod, slot: Slot) -> bool:
    """A machine that moves has two pods with one address, and a static pod several UIDs."""
    is_his = slot.pod_uid == pod.uid or (pod.is_mirror and slot.pod == pod.key)
    return slot.state is SlotState.HELD and (
        is_his or (slot.owner is not None and slot.owner == keeper_of(pod))
    )


def _readable_pools(objects: Iterable[Object]) -> dict[str, Pool]:
    found = {}
    for obj in objects:
        try:
            found[obj["metadata"]["name"]] = read_pool(obj)
        except BadInput:
            continue
    return found
