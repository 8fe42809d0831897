"""Puts the controller together: caches, the election, and the reconcilers of the leader."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from spiderpool import memory
from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.attachments import Attachments
from spiderpool.controller.autopools import AutoPoolCaches, AutoPools
from spiderpool.controller.caches import Caches
from spiderpool.controller.cniconf import default_cni
from spiderpool.controller.collector import Collector, Watched
from spiderpool.controller.coordinators import Coordinators, Sources
from spiderpool.controller.metrics import Counts, metrics
from spiderpool.controller.pools import Pools
from spiderpool.controller.queue import WorkQueue
from spiderpool.controller.reviewer import Reviewer
from spiderpool.controller.settings import Settings
from spiderpool.controller.subnets import Subnets
from spiderpool.kube import resources
from spiderpool.kube.api import Client
from spiderpool.kube.client import connect
from spiderpool.kube.events import EventRecorder
from spiderpool.kube.following import behind, followed
from spiderpool.kube.informer import Informers, WatchedCache, cancel
from spiderpool.kube.leader import Election
from spiderpool.kube.optional import OptionalCache
from spiderpool.metrics.http import Pages, serve
from spiderpool.types.address import Family

log = logging.getLogger(__name__)

LEASE_NAME = "spiderpool-controller-leases"


class Reconciler(Protocol):
    """Follows caches once ``start`` is called, and works off a queue."""

    queue: WorkQueue[Any]

    def start(self) -> None: ...


class Manager:
    """One controller process; ``client`` is for tests."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self._settings = settings
        self._client = client or connect(settings.kubeconfig)
        self._machines = (
            OptionalCache(self._client, resources.VIRTUALMACHINE),
            OptionalCache(self._client, resources.VIRTUALMACHINEINSTANCE),
        )

    async def run(self) -> None:
        """Work until cancelled, or return when the lead is lost.

        Caches are filled while another leads, so that taking over is quick.

        Raises:
            BadInput: the webhook cannot listen where it was told to.
        """
        informers = Informers(self._client)
        counts = Counts()
        election = Election(
            self._client, self._settings.namespace, LEASE_NAME, self._settings.identity
        )
        tasks: list[asyncio.Task[None]] = []
        try:
            caches = Caches.start(informers)
            sources = self._sources(caches)
            optional = (*sources.optional(), *self._machines)
            tasks += [asyncio.create_task(cache.run()) for cache in optional]
            tasks += self._pages((*informers, *optional), caches, counts)
            await asyncio.gather(informers.synced(), *(cache.synced() for cache in optional))
            memory.keep_what_is_here()
            tasks += self._webhook(caches, counts)
            tasks.append(asyncio.create_task(self._lead(election, caches, sources, counts)))
            await _first_end(tasks)
        finally:
            await cancel(tasks)
            await informers.close()
            await election.release()
            await self._client.close()

    async def _lead(
        self, election: Election, caches: Caches, sources: Sources, counts: Counts
    ) -> None:
        """Reconcile for as long as this process leads."""
        await election.acquired()
        counts.leads = True
        recorder = EventRecorder(self._client, "spiderpool-controller")
        work = [asyncio.create_task(recorder.run())]
        try:
            for reconciler in self._reconcilers(caches, sources, recorder, counts):
                reconciler.start()
                work.append(asyncio.create_task(reconciler.queue.run()))
            await election.lost()
        finally:
            counts.leads = False
            await cancel(work)

    def _sources(self, caches: Caches) -> Sources:
        client = self._client
        return Sources(
            config_maps=caches.config_maps,
            controller_managers=caches.controller_managers,
            calico_pools=OptionalCache(client, resources.CALICO_IPPOOL),
            cilium_pools=OptionalCache(client, resources.CILIUM_PODIPPOOL),
            service_cidrs=OptionalCache(client, *resources.SERVICECIDRS),
            default_cni=partial(default_cni, self._settings.cni_conf_dir),
        )

    def _reconcilers(
        self, caches: Caches, sources: Sources, recorder: EventRecorder, counts: Counts
    ) -> tuple[Reconciler, ...]:
        client = self._client
        return (
            Reviewer(caches, self._cluster(caches), recorder),
            Attachments(client, caches, recorder),
            Coordinators(client, caches.coordinators, sources, recorder),
            Pools(client, caches, recorder),
            Subnets(client, caches.subnets, caches.pools),
            AutoPools(client, _for_auto_pools(caches), recorder, self._families()),
            Collector(client, self._watched(caches), caches.ledger, counts.collected),
        )

    def _families(self) -> frozenset[Family]:
        return frozenset(f for f in Family if f.number in self._settings.families)

    def _watched(self, caches: Caches) -> Watched:
        return Watched(
            blocks=caches.blocks,
            pods=caches.pods,
            nodes=caches.nodes,
            statefulsets=caches.workloads["StatefulSet"],
            endpoints=caches.endpoints,
            machines=self._machines,
        )

    def _pages(
        self, watched: Sequence[WatchedCache], caches: Caches, counts: Counts
    ) -> list[asyncio.Task[None]]:
        """Health and metrics, on every replica, as far as they are asked for."""
        health, numbers = self._settings.health, self._settings.metrics
        if health is None and numbers is None:
            return []
        pages = Pages(
            problems=lambda: [cache.problem for cache in watched if not cache.is_synced],
            metrics=lambda: (*metrics(caches, counts), followed(watched)),
            remarks=partial(behind, watched),
        )
        return [asyncio.create_task(serve(pages, health=health, metrics=numbers))]

    def _webhook(self, caches: Caches, counts: Counts) -> list[asyncio.Task[None]]:
        """The webhook, on every replica and not on the leader only."""
        settings = self._settings
        if settings.webhook is None:
            return []
        from spiderpool.controller.webhook.keeper import Webhook  # noqa: PLC0415  # 50 ms

        cluster = self._cluster(caches)
        webhook = Webhook(self._client, settings, settings.webhook, cluster, counts.reviewed)
        return [asyncio.create_task(webhook.run())]

    def _cluster(self, caches: Caches) -> Callable[[], Cluster]:
        """What rules see, whenever they are asked."""
        guard = self._settings.guard_deletion
        return partial(caches.cluster, self._settings.families, guard_deletion=guard)


def _for_auto_pools(caches: Caches) -> AutoPoolCaches:
    return AutoPoolCaches(
        workloads=caches.workloads,
        pods=caches.pods,
        subnets=caches.subnets,
        pools=caches.pools,
        reserved=caches.reserved,
        nodes=caches.nodes,
        ledger=caches.ledger,
    )


async def _first_end(tasks: list[asyncio.Task[None]]) -> None:
    """Returns when one task has ended; raises what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
