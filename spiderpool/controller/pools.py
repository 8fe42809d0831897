"""SpiderIPPools: their status, counted from the address blocks, and their deletion."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

from spiderpool.controller.lifecycle import completed, let_go
from spiderpool.controller.queue import WorkQueue
from spiderpool.ipam.ledger import Entry, Ledger
from spiderpool.ipam.pools import read_pool
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import SPIDERIPPOOL
from spiderpool.types.codec import encode
from spiderpool.types.ippool import IPPoolStatus
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
    """Reconciler of SpiderIPPools; ``ledger`` follows ``blocks`` already."""

    def __init__(self, client: Client, pools: Informer, blocks: Informer, ledger: Ledger) -> None:
        self._client, self._pools, self._blocks = client, pools, blocks
        self._ledger = ledger
        self._gathering: set[PoolName] = set()
        self.queue = WorkQueue("pools", self.reconcile)

    def start(self) -> None:
        """Follow pools and blocks."""
        self._blocks.subscribe(self._on_block)
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
            obj = await completed(self._client, SPIDERIPPOOL, obj, self._pools)
        status = encode(status_of(read_pool(obj).listed.size, held))
        if obj.get("status") != status:
            written = await self._client.update(
                SPIDERIPPOOL, obj | {"status": status}, subresource="status"
            )
            self._pools.observe(written)


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


def _pools_in(block: Object | None) -> Iterator[PoolName]:
    for slot in ((block or {}).get("spec") or {}).get("slots", {}).values():
        if pool := slot.get("pool"):
            yield PoolName(pool)
