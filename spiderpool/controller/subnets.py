"""SpiderSubnets: which pools they hold, and their deletion."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from spiderpool.controller.admission.others import subnet_of
from spiderpool.controller.admission.poolbook import PoolReader
from spiderpool.controller.lifecycle import completed, let_go
from spiderpool.controller.pools import LARGEST_COUNT
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import BadInput, NotFound
from spiderpool.ipam.autopools import application_text
from spiderpool.ipam.pools import Pool
from spiderpool.ipam.ranges import parse
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import SPIDERIPPOOL, SPIDERSUBNET
from spiderpool.types.address import family_of
from spiderpool.types.codec import encode
from spiderpool.types.metadata import read
from spiderpool.types.subnet import SpiderSubnet, SubnetStatus


class Subnets:
    """Reconciler of SpiderSubnets. A subnet holds the pools of exactly its own CIDR."""

    def __init__(self, client: Client, subnets: Informer, pools: Informer) -> None:
        self._client, self._subnets, self._pools = client, subnets, pools
        self._read = PoolReader()
        self.queue = WorkQueue("subnets", self.reconcile)

    def start(self) -> None:
        """Follow subnets and pools."""
        self._subnets.subscribe(self._on_subnet)
        self._pools.subscribe(self._on_pool)

    def _on_subnet(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(new["metadata"]["name"])

    def _on_pool(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and old.get("spec") == new.get("spec"):
            return
        networks = {subnet_of(pool) for pool in (old, new) if pool is not None}
        for subnet in self._subnets.all():
            if subnet_of(subnet) in networks:
                self.queue.add(subnet["metadata"]["name"])

    async def reconcile(self, name: str) -> None:
        """Write finalizer and status of one subnet; let a subnet go that holds no pool. The
        pools that were made out of it go before, those that somebody wrote keep it.

        Raises:
            BadInput: the subnet's spec cannot be read.
        """
        obj = self._subnets.get(name)
        if obj is None:
            return
        try:
            subnet = read(SpiderSubnet, obj)
        except BadInput:
            if obj["metadata"].get("deletionTimestamp"):  # it never held a pool
                await let_go(self._client, SPIDERSUBNET, obj)
                return
            raise
        pools = self._pools_of(subnet)
        if subnet.metadata.deletion_timestamp and not pools:
            await let_go(self._client, SPIDERSUBNET, obj)
            return
        if subnet.metadata.deletion_timestamp:
            await self._delete(pool for pool in pools if application_text(pool))
        else:
            obj = await completed(self._client, SPIDERSUBNET, obj, self._subnets)
        status = encode(status_of(subnet, pools))
        if obj.get("status") != status:
            written = await self._client.update(
                SPIDERSUBNET, obj | {"status": status}, subresource="status"
            )
            self._subnets.observe(written)

    async def _delete(self, pools: Iterable[Pool]) -> None:
        for pool in pools:
            if not pool.terminating:
                with suppress(NotFound):
                    await self._client.delete(SPIDERIPPOOL, pool.name)

    def _pools_of(self, subnet: SpiderSubnet) -> list[Pool]:
        found = [
            pool for pool in self._read(self._pools.all()) if pool.subnet == subnet.spec.subnet
        ]
        return sorted(found, key=lambda pool: pool.name)


def status_of(subnet: SpiderSubnet, pools: list[Pool]) -> SubnetStatus:
    """The status of a subnet that holds ``pools``. Raises BadInput for ranges that are none."""
    spec, where = subnet.spec, SpiderSubnet.KIND.where(encode(subnet))
    family = family_of(spec.subnet)
    own = parse(spec.ips, family, f"{where}: spec.ips")
    own -= parse(spec.exclude_ips, family, f"{where}: spec.excludeIPs")
    held = {pool.name: _share(pool) for pool in pools}
    return SubnetStatus(
        total_ip_count=min(own.size, LARGEST_COUNT),
        allocated_ip_count=min(sum(pool.listed.size for pool in pools), LARGEST_COUNT),
        controlled_ip_pools=json.dumps(held) if held else None,
    )


def _share(pool: Pool) -> dict[str, Any]:
    """A pool's addresses, and the application that it was made for, if any."""
    application = application_text(pool)
    made_for = {"application": application} if application else {}
    return {"ips": list(pool.listed.text()), **made_for}
