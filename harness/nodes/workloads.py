"""All cluster-wide controllers beside Spiderpool's, as one component over HTTP."""

from __future__ import annotations

import asyncio

from harness.nodes.deployments import Deployments, ReplicaSets
from harness.nodes.endpoints import ServiceEndpoints
from harness.nodes.scheduler import Scheduler
from spiderpool.kube import resources
from spiderpool.kube.api import Client
from spiderpool.kube.informer import Informers


async def run(client: Client) -> None:
    """Reconcile Deployments, ReplicaSets, Services and unscheduled pods until cancelled."""
    informers = Informers(client)
    pods, services = informers.of(resources.POD), informers.of(resources.SERVICE)
    replicasets = informers.of(resources.REPLICASET)
    parts = (
        Deployments(client, informers.of(resources.DEPLOYMENT), replicasets),
        ReplicaSets(client, replicasets, pods),
        Scheduler(client, pods, informers.of(resources.NODE)),
        ServiceEndpoints(
            client,
            services,
            pods,
            informers.of(resources.ENDPOINTS),
            informers.of(resources.ENDPOINTSLICE),
        ),
    )
    try:
        await informers.synced()
        async with asyncio.TaskGroup() as group:
            for part in parts:
                part.start()
                group.create_task(part.queue.run())
    finally:
        await informers.close()
