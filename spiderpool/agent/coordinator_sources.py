"""What the coordinator asks of the API, answered by the agent's caches."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from spiderpool.agent.caches import AgentCaches, find_pod
from spiderpool.agent.ipam_service import IpamService
from spiderpool.cni.request import Attachment, CniRequest
from spiderpool.errors import BadInput
from spiderpool.ipam.conflicts import Fate
from spiderpool.kube.api import Client, Object
from spiderpool.types.address import Address, parse_address
from spiderpool.types.names import NodeName


class CachedSources:
    """:class:`spiderpool.agent.coordinator.Sources`; only a pod that is not there is asked for."""

    def __init__(
        self, client: Client, caches: AgentCaches, node: NodeName, ipam: IpamService
    ) -> None:
        self._client, self._caches, self._node = client, caches, node
        self._ipam = ipam

    def coordinator(self) -> Mapping[str, Any] | None:
        return self._caches.coordinator()

    def node_addresses(self) -> tuple[Address, ...]:
        return internal_addresses(self._caches.nodes.get(self._node))

    async def pod(self, request: CniRequest) -> Mapping[str, Any] | None:
        return await find_pod(self._client, self._caches.pods, request)

    async def settle_conflict(self, request: CniRequest, address: Address) -> Fate:
        key = f"{request.pod_namespace}/{request.pod_name}"
        return await self._ipam.settle_conflict(key, request.ifname, address)

    def is_probed(self, request: CniRequest) -> bool:
        attachment = Attachment(request.container_id, request.ifname)
        found = attachment in self._ipam.probed
        self._ipam.probed.discard(attachment)
        return found


def internal_addresses(node: Object | None) -> tuple[Address, ...]:
    """A Node's addresses of type InternalIP, in written order; what is no address is left out."""
    found = []
    for item in ((node or {}).get("status") or {}).get("addresses") or ():
        if item.get("type") == "InternalIP":
            with suppress(BadInput):
                found.append(parse_address(item.get("address", ""), "Node"))
    return tuple(found)
