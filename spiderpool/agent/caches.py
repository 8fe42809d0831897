"""What the agent keeps of the API: each kind that an ADD reads, so that it needs no GET."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.agent.configuration import configuration
from spiderpool.cni.request import CniRequest
from spiderpool.errors import NotFound, SpiderpoolError
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import (
    NAMESPACE,
    NODE,
    POD,
    SPIDERCOORDINATOR,
    SPIDERIPBLOCK,
    SPIDERIPPOOL,
    SPIDERRESERVEDIP,
)
from spiderpool.types.coordinator import DEFAULT_COORDINATOR
from spiderpool.types.names import NodeName

COORDINATOR = "coordinator"


@dataclass(frozen=True, slots=True)
class AgentCaches:
    """The kinds; ``pods`` holds only those of this node."""

    pools: Informer
    blocks: Informer
    reserved: Informer
    coordinators: Informer
    namespaces: Informer
    nodes: Informer
    pods: Informer

    @classmethod
    def start(cls, informers: Informers, node: NodeName) -> AgentCaches:
        """Begin to fill them; needs a running event loop."""
        return cls(
            pools=informers.of(SPIDERIPPOOL),
            blocks=informers.of(SPIDERIPBLOCK),
            reserved=informers.of(SPIDERRESERVEDIP),
            coordinators=informers.of(SPIDERCOORDINATOR),
            namespaces=informers.of(NAMESPACE),
            nodes=informers.of(NODE),
            pods=informers.of(POD, field_selector=f"spec.nodeName={node}"),
        )

    def coordinator(self) -> Mapping[str, Any] | None:
        """The SpiderCoordinator that counts."""
        return self.coordinators.get(DEFAULT_COORDINATOR)


async def find_pod(client: Client, pods: Informer, request: CniRequest) -> Object | None:
    """The pod that the call is for; None when there is none, or another one of its name.

    kubelet may start a pod before the watch has told of it, so what the cache does not
    hold is asked for.

    Raises:
        Unreachable: when it had to be asked for, and nobody answered.
    """
    if not request.pod_name:
        return None
    pod = pods.get(request.pod_name, request.pod_namespace)
    if pod is None or not _is_meant(pod, request):
        try:
            pod = await client.get(POD, request.pod_name, request.pod_namespace)
        except NotFound:
            return None
        pods.observe(pod)
    return pod if _is_meant(pod, request) else None


def _is_meant(pod: Object, request: CniRequest) -> bool:
    """Runtimes that pass no UID mean whatever pod has the name."""
    return request.pod_uid in ("", pod["metadata"]["uid"])


class CacheReadiness:
    """:class:`spiderpool.agent.server.Readiness` by the state of the caches."""

    def __init__(self, informers: Informers, caches: AgentCaches, node: NodeName) -> None:
        self._informers, self._caches, self._node = informers, caches, node

    async def synced(self) -> None:
        await self._informers.synced()

    def problems(self, plugin: str) -> list[str]:
        if waiting := [cache.problem for cache in self._informers if not cache.is_synced]:
            others = f" (and {len(waiting) - 1} more kinds)" if len(waiting) > 1 else ""
            return [waiting[0] + others]
        if self._caches.nodes.get(self._node) is None:
            return [f"--node: the cluster has no Node {self._node}; give the name of this one"]
        if plugin == COORDINATOR:
            try:
                configuration({}, self._caches.coordinator(), {})
            except SpiderpoolError as exc:
                return [str(exc)]
        return []
