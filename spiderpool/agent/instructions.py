"""What the coordinator has to know for one call, besides what the kernel tells it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from spiderpool.agent.caches import AgentCaches, find_pod
from spiderpool.agent.configuration import configuration, removal_configuration
from spiderpool.cni.request import CniRequest
from spiderpool.coordinator.config import Config
from spiderpool.errors import BadInput
from spiderpool.ipam.attachments import nics_of
from spiderpool.ipam.facts import read_pod
from spiderpool.kube.api import Client, Object
from spiderpool.types.address import Address, parse_address
from spiderpool.types.names import IfName, NodeName


@dataclass(frozen=True, slots=True)
class Instructions:
    """``expected_nics`` are those that the pod's annotation announces; None: not known."""

    config: Config
    node_addresses: tuple[Address, ...] = ()
    expected_nics: tuple[IfName, ...] | None = None


class Instructor:
    """Puts :class:`Instructions` together from the agent's caches."""

    def __init__(self, client: Client, caches: AgentCaches, node: NodeName) -> None:
        self._client, self._caches, self._node = client, caches, node

    async def for_attachment(self, request: CniRequest) -> Instructions:
        """For ADD and CHECK.

        Raises:
            BadInput: naming what somebody wrote that cannot be used.
            CniError: 11, when the SpiderCoordinator is missing or not Synced.
            Unreachable: when the pod had to be asked for, and nobody answered.
        """
        obj = await find_pod(self._client, self._caches.pods, request)
        pod = read_pod(obj) if obj else None
        config = configuration(
            request.config, self._caches.coordinator(), pod.annotations if pod else {}
        )
        return Instructions(config, self._node_addresses(), nics_of(pod) if pod else None)

    def for_removal(self, request: CniRequest) -> Instructions:
        """For DEL: from what is at hand, without a question to anybody. Raises nothing."""
        config = removal_configuration(request.config, self._caches.coordinator())
        return Instructions(config, self._node_addresses())

    def _node_addresses(self) -> tuple[Address, ...]:
        return internal_addresses(self._caches.nodes.get(self._node))


def internal_addresses(node: Object | None) -> tuple[Address, ...]:
    """A Node's addresses of type InternalIP, in written order; what is no address is left out."""
    listed = ((node or {}).get("status") or {}).get("addresses") or ()
    found = []
    for item in listed:
        if item.get("type") == "InternalIP":
            with suppress(BadInput):
                found.append(parse_address(item.get("address", ""), "Node"))
    return tuple(found)
