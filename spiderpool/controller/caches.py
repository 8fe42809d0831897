"""Everything that the controller watches, and what rules and reconcilers read out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.admission.poolbook import PoolBook
from spiderpool.ipam.ledger import Ledger
from spiderpool.kube import resources
from spiderpool.kube.api import Informer, Object
from spiderpool.kube.informer import Informers

SYSTEM_NAMESPACE = "kube-system"
WORKLOADS = (
    resources.DEPLOYMENT,
    resources.REPLICASET,
    resources.STATEFULSET,
    resources.DAEMONSET,
    resources.JOB,
    resources.CRONJOB,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """One informer a kind; the ledger follows the blocks, the book of pools the pools;
    ``workloads`` are by kind."""

    coordinators: Informer
    pools: Informer
    subnets: Informer
    networks: Informer
    attachments: Informer
    blocks: Informer
    nodes: Informer
    namespaces: Informer
    pods: Informer
    endpoints: Informer
    reserved: Informer
    workloads: Mapping[str, Informer]
    config_maps: Informer
    controller_managers: Informer
    ledger: Ledger = field(default_factory=Ledger)
    pool_book: PoolBook = field(default_factory=PoolBook)

    @classmethod
    def start(cls, informers: Informers) -> Caches:
        """Needs a running event loop."""
        caches = cls(
            coordinators=informers.of(resources.SPIDERCOORDINATOR),
            pools=informers.of(resources.SPIDERIPPOOL),
            subnets=informers.of(resources.SPIDERSUBNET),
            networks=informers.of(resources.SPIDERMULTUSCONFIG),
            attachments=informers.of(resources.NETWORKATTACHMENT),
            blocks=informers.of(resources.SPIDERIPBLOCK),
            nodes=informers.of(resources.NODE),
            namespaces=informers.of(resources.NAMESPACE),
            pods=informers.of(resources.POD),
            endpoints=informers.of(resources.SPIDERENDPOINT),
            reserved=informers.of(resources.SPIDERRESERVEDIP),
            workloads={kind.kind: informers.of(kind) for kind in WORKLOADS},
            config_maps=informers.of(resources.CONFIGMAP, SYSTEM_NAMESPACE),
            controller_managers=informers.of(
                resources.POD, label_selector="component=kube-controller-manager"
            ),
        )
        caches.blocks.subscribe(caches.ledger.apply)
        caches.pools.subscribe(caches.pool_book.apply)
        return caches

    def cluster(self, families: frozenset[int], *, guard_deletion: bool) -> Cluster:
        """The cluster as rules see it, at this moment."""
        return Cluster(
            pools=self.pool_book,
            subnets=tuple(self.subnets.all()),
            networks=tuple(self.networks.all()),
            nodes={node["metadata"]["name"]: addresses_of(node) for node in self.nodes.all()},
            namespaces={obj["metadata"]["name"]: obj for obj in self.namespaces.all()},
            held=self.ledger.held,
            families=families,
            guard_deletion=guard_deletion,
        )


def addresses_of(node: Object) -> tuple[str, ...]:
    """The IPs of a Node's ``status.addresses``."""
    items = (node.get("status") or {}).get("addresses") or ()
    return tuple(
        item["address"] for item in items if item.get("type") in ("InternalIP", "ExternalIP")
    )
