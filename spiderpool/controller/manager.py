"""Puts the controller together: caches, the election, and the reconcilers of the leader."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from spiderpool.controller.attachments import Attachments
from spiderpool.controller.cniconf import default_cni
from spiderpool.controller.coordinators import SYSTEM_NAMESPACE, Coordinators, Sources
from spiderpool.controller.pools import Pools
from spiderpool.controller.queue import WorkQueue
from spiderpool.controller.subnets import Subnets
from spiderpool.kube import resources
from spiderpool.kube.api import Client
from spiderpool.kube.client import connect
from spiderpool.kube.informer import Informers, cancel
from spiderpool.kube.leader import Election
from spiderpool.kube.optional import OptionalCache

log = logging.getLogger(__name__)

LEASE_NAME = "spiderpool-controller-leases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line says."""

    kubeconfig: str | None = None
    namespace: str = "kube-system"
    identity: str
    cni_conf_dir: Path | None = None


class Reconciler(Protocol):
    """Follows caches once ``start`` is called, and works off a queue."""

    queue: WorkQueue[Any]

    def start(self) -> None: ...


class Manager:
    """One controller process; ``client`` is for tests."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self._settings = settings
        self._client = client or connect(settings.kubeconfig)

    async def run(self) -> None:
        """Work until cancelled, or return when the lead is lost.

        Caches are filled while another leads, so that taking over is quick.
        """
        informers = Informers(self._client)
        election = Election(
            self._client, self._settings.namespace, LEASE_NAME, self._settings.identity
        )
        tasks: list[asyncio.Task[None]] = []
        try:
            sources = self._sources(informers)
            reconcilers = self._reconcilers(informers, sources)
            tasks += [asyncio.create_task(cache.run()) for cache in sources.optional()]
            await asyncio.gather(
                informers.synced(), *(cache.synced() for cache in sources.optional())
            )
            await election.acquired()
            for reconciler in reconcilers:
                reconciler.start()
                tasks.append(asyncio.create_task(reconciler.queue.run()))
            await election.lost()
        finally:
            await cancel(tasks)
            await informers.close()
            await election.release()
            await self._client.close()

    def _sources(self, informers: Informers) -> Sources:
        client = self._client
        return Sources(
            config_maps=informers.of(resources.CONFIGMAP, SYSTEM_NAMESPACE),
            controller_managers=informers.of(
                resources.POD, label_selector="component=kube-controller-manager"
            ),
            calico_pools=OptionalCache(client, resources.CALICO_IPPOOL),
            cilium_pools=OptionalCache(client, resources.CILIUM_PODIPPOOL),
            service_cidrs=OptionalCache(client, *resources.SERVICECIDRS),
            default_cni=partial(default_cni, self._settings.cni_conf_dir),
        )

    def _reconcilers(self, informers: Informers, sources: Sources) -> tuple[Reconciler, ...]:
        client = self._client
        coordinators = informers.of(resources.SPIDERCOORDINATOR)
        pools = informers.of(resources.SPIDERIPPOOL)
        networks = informers.of(resources.SPIDERMULTUSCONFIG)
        attachments = informers.of(resources.NETWORKATTACHMENT)
        blocks = informers.of(resources.SPIDERIPBLOCK)
        subnets = informers.of(resources.SPIDERSUBNET)
        return (
            Attachments(client, networks, attachments, coordinators),
            Coordinators(client, coordinators, sources),
            Pools(client, pools, blocks),
            Subnets(client, subnets, pools),
        )
