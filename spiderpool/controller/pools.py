"""SpiderIPPools: their status, counted from the address blocks, and their deletion."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator

from spiderpool.controller.caches import Caches
from spiderpool.controller.lifecycle import completed, let_go
from spiderpool.controller.queue import WorkQueue
from spiderpool.ipam.facts import node_addresses
from spiderpool.ipam.ledger import Entry
from spiderpool.ipam.pools import Pool, grounds, read_pool, read_reserved
from spiderpool.ipam.tally import tally
from spiderpool.kube.api import Client, Object
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.reasons import Reason
from spiderpool.kube.resources import SPIDERIPPOOL
from spiderpool.types.codec import encode
from spiderpool.types.ippool import IPPoolStatus, SpiderIPPool
from spiderpool.types.names import PoolName

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""Changes of addresses within this time share one write of the status."""
MOST_LISTED = 1000
"""Above this many, ``status.allocatedIPs`` is left out: an object must stay below 1.5 MB,
and the SpiderIPBlocks, not the status, are what allocation goes by."""
LARGEST_COUNT = 2**63 - 1
"""What an int64 of the API can hold; an IPv6 pool may have more."""


class Pools:
    """Reconciler of SpiderIPPools; the ledger of ``caches`` follows the blocks already."""

    def __init__(self, client: Client, caches: Caches, recorder: EventRecorder) -> None:
        self._client, self._caches, self._recorder = client, caches, recorder
        self._pools, self._ledger = caches.pools, caches.ledger
        self._gathering: set[PoolName] = set()
        self._exhausted: set[PoolName] = set()
        self.queue = WorkQueue("pools", self.reconcile)

    def start(self) -> None:
        """Follow pools and blocks."""
        self._caches.blocks.subscribe(self._on_block)
        self._pools.subscribe(self._on_pool)

    def _on_pool(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(PoolName(new["metadata"]["name"]))

    def _on_block(self, old: Object | None, new: Object | None) -> None:
        for pool in {*_pools_in(old), *_pools_in(new)} - self._gathering:
            self._gathering.add(pool)
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._gathered, pool)

    def _gathered(self, pool: PoolName) -> None:
        self._gathering.discard(pool)
        self.queue.add(pool)

    async def reconcile(self, name: PoolName) -> None:
        """Write finalizer and status of one pool; let a pool go that holds no address.

        Raises:
            BadInput: the pool's spec cannot be read.
        """
        obj = self._pools.get(name)
        if obj is None:
            return
        held = self._ledger.held(name)
        if obj["metadata"].get("deletionTimestamp") and not held:
            await let_go(self._client, SPIDERIPPOOL, obj)
            return
        if not obj["metadata"].get("deletionTimestamp"):
            subnets = self._caches.subnets.all()
            obj = await completed(self._client, SPIDERIPPOOL, obj, self._pools, subnets)
        pool = read_pool(obj)
        status = encode(status_of(pool.listed.size, held))
        if obj.get("status") != status:
            written = await self._client.update(
                SPIDERIPPOOL, obj | {"status": status}, subresource="status"
            )
            self._pools.observe(written)
        self._tell_when_exhausted(pool, obj)

    def _tell_when_exhausted(self, pool: Pool, obj: Object) -> None:
        """Once, each time that the last address is taken."""
        reserved = read_reserved(self._caches.reserved.all())[pool.family]
        ground = grounds(pool, reserved, node_addresses(self._caches.nodes.all()))
        if not 0 < ground.size <= tally(self._ledger, pool.name, ground, time.time()).held:
            self._exhausted.discard(pool.name)
        elif pool.name not in self._exhausted:
            self._exhausted.add(pool.name)
            words = f"all {ground.size} addresses that it may give are in use"
            self._recorder.warn(_subject(obj), Reason.POOL_EXHAUSTED, words)


def status_of(total: int, held: list[Entry]) -> IPPoolStatus:
    """The status of a pool of ``total`` addresses of which ``held`` are in use."""
    listed = {
        entry.address: {"pod": entry.slot.pod, "podUid": entry.slot.pod_uid} for entry in held
    }
    return IPPoolStatus(
        total_ip_count=min(total, LARGEST_COUNT),
        allocated_ip_count=len(held),
        allocated_ips=json.dumps(listed) if 0 < len(held) <= MOST_LISTED else None,
    )


def _subject(obj: Object) -> Subject:
    kind, metadata = SpiderIPPool.KIND, obj["metadata"]
    return Subject(kind.api_version, kind.kind, metadata["name"], uid=metadata["uid"])


def _pools_in(block: Object | None) -> Iterator[PoolName]:
    for slot in ((block or {}).get("spec") or {}).get("slots", {}).values():
        if pool := slot.get("pool"):
            yield PoolName(pool)
