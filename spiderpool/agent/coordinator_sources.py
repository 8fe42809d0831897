"""What the coordinator asks of the API, answered by the agent's caches."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from spiderpool.agent.caches import AgentCaches, find_pod
from spiderpool.agent.ipam_service import IpamService
from spiderpool.cni.request import CniRequest
from spiderpool.errors import BadInput
from spiderpool.ipam.conflicts import Fate, fate_of
from spiderpool.kube.api import Client, Object
from spiderpool.types.address import Address, parse_address
from spiderpool.types.ipblock import SlotState
from spiderpool.types.names import NodeName

ASIDE_SECONDS = 600.0
"""How long an address that someone else uses is kept from everybody."""
WRITE_SECONDS = 5.0


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
        """Set the address aside, unless a keeper wants this very one."""
        key = f"{request.pod_namespace}/{request.pod_name}"
        held = (
            entry
            for entry in self._ipam.sources.ledger.named(key)
            if entry.address == address
            and entry.slot.nic == request.ifname
            and entry.slot.state is SlotState.HELD
        )
        entry = next(held, None)
        fate = fate_of(entry)
        if entry is not None and fate is Fate.SET_ASIDE:
            await self._ipam.set_aside(entry, ASIDE_SECONDS, WRITE_SECONDS)
        return fate


def internal_addresses(node: Object | None) -> tuple[Address, ...]:
    """A Node's addresses of type InternalIP, in written order; what is no address is left out."""
    found = []
    for item in ((node or {}).get("status") or {}).get("addresses") or ():
        if item.get("type") == "InternalIP":
            with suppress(BadInput):
                found.append(parse_address(item.get("address", ""), "Node"))
    return tuple(found)
