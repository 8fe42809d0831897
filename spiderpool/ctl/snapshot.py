"""The agent's view of the cluster, out of one list of each kind instead of watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from spiderpool.agent.caches import AgentCaches
from spiderpool.agent.ipam_sources import Sources
from spiderpool.ctl.evidence import every
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Handler, Object


class Snapshot:
    """:class:`spiderpool.kube.api.Informer` of objects that do not change any more."""

    def __init__(self, objects: list[Object]) -> None:
        self._objects = objects

    def get(self, name: str, namespace: str | None = None) -> Object | None:
        for obj in self._objects:
            if (obj["metadata"]["name"], obj["metadata"].get("namespace")) == (name, namespace):
                return obj
        return None

    def all(self) -> list[Object]:
        return self._objects

    def subscribe(self, handler: Handler) -> None:
        for obj in self._objects:
            handler(None, obj)

    def observe(self, obj: Object) -> None:
        """What others write later is none of a snapshot's business."""

    def synced(self) -> Awaitable[None]:
        return asyncio.sleep(0)


async def sources(client: Client) -> Sources:
    """What an agent would decide on now.

    Raises:
        KubeError: the API did not answer, or refused.
    """
    kinds = {
        "pools": resources.SPIDERIPPOOL,
        "blocks": resources.SPIDERIPBLOCK,
        "reserved": resources.SPIDERRESERVEDIP,
        "coordinators": resources.SPIDERCOORDINATOR,
        "namespaces": resources.NAMESPACE,
        "nodes": resources.NODE,
        "pods": resources.POD,
    }
    found = await every(client, kinds.values())
    return Sources(AgentCaches(**{name: Snapshot(found[kind]) for name, kind in kinds.items()}))
