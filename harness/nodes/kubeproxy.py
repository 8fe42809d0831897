"""kube-proxy on one node: Services and their endpoints as nftables in its namespace."""

from __future__ import annotations

import asyncio
import logging

from harness.netns import nft
from harness.netns.conntrack import Connection, forget, udp_connections
from harness.nodes.servicerules import Contents, after_change, change, contents
from harness.nodes.services import Backend, ClusterPort, Forwarding, Protocol, forwarding
from harness.nodes.servicetable import Ranges, skeleton
from harness.topology.model import Topology
from spiderpool.errors import SpiderpoolError
from spiderpool.kube.api import Informer, Object
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Family
from spiderpool.types.names import NodeName

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.01
"""Changes within this time share one update."""
RETRY_SECONDS = 1.0


class KubeProxy:
    """Follows ``services`` and ``slices`` while :meth:`run` is running."""

    def __init__(
        self,
        node: NodeName,
        namespace: Namespace,
        topology: Topology,
        services: Informer,
        slices: Informer,
    ) -> None:
        self._node, self._namespace, self._topology = node, namespace, topology
        self._services, self._slices = services, slices
        self._loaded: dict[Family, Contents] = {}
        self._changed = asyncio.Event()
        self.settled = asyncio.Event()
        """Set while the tables say what the API said last."""

    async def run(self) -> None:
        """Make the tables, then keep them in step until cancelled.

        Raises:
            SpiderpoolError: the tables cannot be made.
        """
        for family in Family:
            ranges = Ranges.of(family, self._topology.pod_cidrs, self._topology.service_cidrs)
            if ranges.pods and ranges.services:
                await nft.load(self._namespace, skeleton(ranges))
                self._loaded[family] = {}
        self._changed.set()
        self._services.subscribe(self._on_change)
        self._slices.subscribe(self._on_change)
        while True:
            await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._changed.clear()
            try:
                await self._update()
            except SpiderpoolError as error:
                log.warning("kube-proxy on %s: %s", self._node, error)
                self._changed.set()
                await asyncio.sleep(RETRY_SECONDS)
            if not self._changed.is_set():
                self.settled.set()

    async def _update(self) -> None:
        """Load the difference between what is there and what should be."""
        for family, old in self._loaded.items():
            found = forwarding(self._services.all(), self._slices.all(), family, self._node)
            wanted = contents(found)
            if script := change(old, wanted, family):
                await nft.load(self._namespace, script)
                self._loaded[family] = after_change(old, wanted)
                self._forget_stale(found)

    def _forget_stale(self, found: Forwarding) -> None:
        """A UDP client that keeps its socket would be led to a former backend for ever."""
        connections = udp_connections(self._namespace, found.family)
        stale = [one for one in connections if is_stale(one, found)]
        forget(self._namespace, found.family, stale)

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        self.settled.clear()
        self._changed.set()


def is_stale(connection: Connection, found: Forwarding) -> bool:
    """Whether a Service's port is answered by somebody who is not behind it any more."""
    cluster_port = ClusterPort(Protocol.UDP, connection.target, connection.target_port)
    backends = found.cluster_ports.get(cluster_port)
    if backends is None:
        return connection.target in found.addresses
    return Backend(connection.answerer, connection.answerer_port) not in backends
