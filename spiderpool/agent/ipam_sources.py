"""What decisions are made on, kept ready by informers: no GET in the steady state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from spiderpool.agent.caches import AgentCaches
from spiderpool.errors import BadInput
from spiderpool.ipam.attachments import attachment_of, position_of
from spiderpool.ipam.autopools import Application
from spiderpool.ipam.facts import Pod, node_addresses, read_pod
from spiderpool.ipam.filters import Situation
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.netconf import IpamConf
from spiderpool.ipam.pools import Pool, grounds, read_pool, read_reserved
from spiderpool.ipam.ranges import Ranges
from spiderpool.kube.api import Object
from spiderpool.types.address import Address, Family
from spiderpool.types.ipblock import SlotState
from spiderpool.types.names import IfName, NodeName, PoolName


@dataclass(slots=True, eq=False)
class Sources:
    """Parsed views of the caches, renewed when an object changes and not before."""

    caches: AgentCaches
    cluster_network: str = ""
    agent_namespace: str = "kube-system"
    ledger: Ledger = field(default_factory=Ledger, init=False)
    pools: dict[PoolName, Pool | BadInput] = field(default_factory=dict, init=False)
    _reserved: Mapping[Family, Ranges] | None = field(default=None, init=False)
    _nodes: dict[str, frozenset[Address]] = field(default_factory=dict, init=False)
    _grounds: dict[PoolName, Ranges] = field(default_factory=dict, init=False)
    pools_version: int = field(default=0, init=False)
    """Grows whenever a pool comes, goes or gets other rules or addresses."""
    _pools_changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self.caches.blocks.subscribe(self.ledger.apply)
        self.caches.pools.subscribe(self._pool_changed)
        self.caches.reserved.subscribe(self._reserved_changed)
        self.caches.nodes.subscribe(self._node_changed)

    def ground(self, name: PoolName) -> Ranges:
        """The addresses that a pool may give now; none when it does not exist.

        Raises:
            BadInput: a SpiderReservedIP cannot be read, so nothing is safe to give.
        """
        pool = self.pools.get(name)
        if not isinstance(pool, Pool):
            return Ranges(Family.V4)
        if name not in self._grounds:
            if self._reserved is None:
                self._reserved = read_reserved(self.caches.reserved.all())
            taken = (address for found in self._nodes.values() for address in found)
            self._grounds[name] = grounds(pool, self._reserved[pool.family], taken)
        return self._grounds[name]

    async def pools_change(self, since: int) -> None:
        """Returns when ``pools_version`` is not ``since`` any more."""
        while self.pools_version == since:
            self._pools_changed.clear()
            await self._pools_changed.wait()

    def pod(self, namespace: str, name: str) -> Pod | None:
        obj = self.caches.pods.get(name, namespace)
        return read_pod(obj) if obj else None

    def rank(self, node: NodeName | None) -> int | None:
        """The place of a node among all, by name; None for one that is not known."""
        return sum(other < node for other in self._nodes) if node in self._nodes else None

    def situation(
        self, pod: Pod, nic: IfName, conf: IpamConf, application: Application | None
    ) -> Situation:
        """What pools can be bound to, for one NIC of a pod."""
        held = [e.slot for e in self.ledger.of_pod(pod.uid) if e.slot.state is SlotState.HELD]
        others = {slot.nic for slot in held if slot.nic and slot.nic != nic}
        namespace = _metadata(self.caches.namespaces.get(pod.namespace))
        node = _metadata(self.caches.nodes.get(pod.node))
        return Situation(
            pod=pod,
            nic=nic,
            position=position_of(pod, nic, others),
            attachment=attachment_of(pod, nic, self.cluster_network),
            namespace_labels=namespace.get("labels") or {},
            namespace_annotations=namespace.get("annotations") or {},
            node_labels=node.get("labels") or {},
            netconf_pools=conf.pools,
            master=conf.master,
            application=application,
            agent_namespace=self.agent_namespace,
        )

    def _pool_changed(self, old: Object | None, new: Object | None) -> None:
        name = PoolName((new or old or {})["metadata"]["name"])
        if old and new and _rules(old) == _rules(new):
            return
        self._grounds.pop(name, None)
        self.pools_version += 1
        self._pools_changed.set()
        if new is None:
            self.pools.pop(name, None)
            return
        try:
            self.pools[name] = read_pool(new)
        except BadInput as exc:
            self.pools[name] = exc

    def _reserved_changed(self, old: Object | None, new: Object | None) -> None:
        self._reserved = None
        self._grounds.clear()

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        name = (new or old or {})["metadata"]["name"]
        found = node_addresses([new]) if new else frozenset()
        if self._nodes.get(name, frozenset()) != found:
            self._nodes[name] = found
            self._grounds.clear()


def _rules(pool: Object) -> tuple[object, ...]:
    """All of a pool but its status."""
    metadata = pool["metadata"]
    return pool["spec"], metadata.get("deletionTimestamp"), metadata.get("labels")


def _metadata(obj: Object | None) -> Object:
    return obj["metadata"] if obj else {}
