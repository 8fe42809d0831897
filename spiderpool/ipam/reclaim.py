"""Which addresses nobody uses any more. Doubt keeps an address.

An address falls under suspicion when its owner cannot be using it: its pod does not exist
(by UID), has finished, or should be gone with its node; what a keeper keeps, when the
keeper is gone or scaled down. The pods of files on a node (static pods) go on when their
object is deleted and made anew, so they are known by their name. A suspect is given back
only when a second look, some time after the first, finds the very same record still
suspect, and a live question to the API confirms it. An address that a live pod reports as
its own is never suspect.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from spiderpool.ipam.allocation import Desk, Release
from spiderpool.ipam.blocks import Change, seconds
from spiderpool.ipam.facts import Pod, why_dead
from spiderpool.ipam.ledger import Entry, Ledger, owner_of
from spiderpool.ipam.ranges import Ranges
from spiderpool.ipam.sticky import STATEFULSET, ordinal_of
from spiderpool.ipam.surroundings import Surroundings
from spiderpool.types.address import Address, family_of
from spiderpool.types.ipblock import SlotState
from spiderpool.types.names import PoolName

NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"

OVERDUE_SECONDS = 60.0
"""How long after a pod should have been gone kubelet is still trusted to end it."""


class Reason(enum.StrEnum):
    """Why an address is suspect."""

    POD_GONE = "its pod does not exist any more"
    NODE_GONE = "its pod and its node do not exist any more"
    POD_FINISHED = "its pod has finished"
    POD_LOST = "its pod should have ended, and its node is gone or fenced off"
    KEEPER_GONE = "what kept it is gone or scaled down"
    UNWANTED = "the pod in its owner's place runs without it"


WAIT = {
    Reason.POD_GONE: 20.0,
    Reason.NODE_GONE: 20.0,
    Reason.POD_FINISHED: 120.0,
    Reason.POD_LOST: 20.0,
    Reason.KEEPER_GONE: 20.0,
    Reason.UNWANTED: 20.0,
}
"""Seconds between the first look and the one that counts. A finished pod's sandbox may
linger and its kernel still answer for the address, so kubelet gets longer."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A held address with what was seen of it."""

    entry: Entry
    reason: Reason


def suspects(entries: Iterable[Entry], around: Surroundings) -> Iterator[Suspect]:
    """The held addresses whose owner cannot be using them."""
    reported = _reported(around.pods.values())
    for entry in entries:
        if entry.slot.state is SlotState.HELD and entry.address not in reported:
            reason = why_suspect(entry, around)
            if reason is not None:
                yield Suspect(entry, reason)


def why_suspect(entry: Entry, around: Surroundings) -> Reason | None:
    """Why one held address is suspect, by its record alone; None when it is not."""
    slot = entry.slot
    pod = around.pods.get(slot.pod_uid) if slot.pod_uid else None
    if pod is not None:
        keeps = slot.owner is not None and is_kept(entry, around)
        return None if keeps else _why_of_pod(pod, around)
    if slot.owner:
        if not is_kept(entry, around):
            return Reason.KEEPER_GONE
        return Reason.UNWANTED if slot.pod in around.running else None
    if slot.pod in around.mirrored:
        return None
    return Reason.POD_GONE if slot.node in around.nodes else Reason.NODE_GONE


def _why_of_pod(pod: Pod, around: Surroundings) -> Reason | None:
    """Why a pod that still exists cannot be using its addresses; None when it may."""
    if not why_dead(pod):
        return None
    if not pod.deleted_at:
        return Reason.POD_FINISHED
    overdue = around.now > seconds(pod.deleted_at) + OVERDUE_SECONDS
    node = around.nodes.get(pod.node)
    return Reason.POD_LOST if overdue and (node is None or node.fenced) else None


def is_kept(entry: Entry, around: Surroundings) -> bool:
    """Whether the keeper that a record names is there, and still wants its pod."""
    kind, _, name = (entry.slot.owner or "").partition("/")
    if kind not in around.kinds:
        return True
    namespace, _, pod = (entry.slot.pod or "").partition("/")
    keeper = around.keepers.get((namespace, f"{kind}/{name}"))
    if keeper is None or kind != STATEFULSET:
        return keeper is not None
    return ordinal_of(pod, name) in keeper.ordinals


def _reported(pods: Iterable[Pod]) -> set[Address]:
    """What live pods say of themselves, whatever any record says."""
    return {address for pod in pods if not why_dead(pod) for address in reported_by(pod)}


def reported_by(pod: Pod) -> set[Address]:
    """The addresses that a pod's status, or Multus, says are the pod's."""
    told = _network_status(pod.annotations.get(NETWORK_STATUS, ""))
    return {*map(Address, pod.addresses), *told}


def _network_status(text: str) -> Iterator[Address]:
    if not text:
        return
    try:
        items: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    for item in items if isinstance(items, list) else ():
        ips = item.get("ips") if isinstance(item, dict) else None
        for ip in ips if isinstance(ips, list) else ():
            yield Address(str(ip).partition("/")[0])


@dataclass(slots=True)
class Watchlist:
    """Remembers since when each record has been suspect, for the second look."""

    _since: dict[tuple[Address, int], float] = field(default_factory=dict)

    def look(self, found: Iterable[Suspect], now: float) -> list[Suspect]:
        """Those that have been suspect for long enough; a record that changed, or was not
        suspect this time, starts anew. ``now`` is a clock that never jumps."""
        seen: dict[tuple[Address, int], float] = {}
        ripe = []
        for suspect in found:
            key = (suspect.entry.address, suspect.entry.slot.generation)
            seen[key] = self._since.get(key, now)
            if now - seen[key] >= WAIT[suspect.reason]:
                ripe.append(suspect)
        self._since = seen
        return ripe

    def __len__(self) -> int:
        return len(self._since)


def releases(ledger: Ledger, found: Iterable[Suspect], now: float) -> list[Change]:
    """What has to be written to give the addresses back, each as its record was seen."""
    changes = []
    for suspect in found:
        slot, address = suspect.entry.slot, suspect.entry.address
        desk = Desk(ledger, slot.pool or PoolName(""), Ranges(family_of(address)), now)
        verdicts = desk.decide([Release(address, owner_of(slot), slot.generation)])
        changes += [verdict for verdict in verdicts if isinstance(verdict, Change)]
    return changes
