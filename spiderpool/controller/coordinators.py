"""The SpiderCoordinator's status: the cluster's CIDRs, discovered and kept up to date."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from spiderpool.controller.caches import SYSTEM_NAMESPACE
from spiderpool.controller.clusterconfig import KUBEADM_CONFIG
from spiderpool.controller.discovery import BY_HAND, CILIUM_CONFIG, ClusterFacts, discover
from spiderpool.controller.lifecycle import completed, let_go
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import BadInput, KubeError
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.optional import OptionalCache
from spiderpool.kube.reasons import Reason
from spiderpool.kube.resources import SPIDERCOORDINATOR
from spiderpool.types.codec import encode
from spiderpool.types.coordinator import (
    DEFAULT_COORDINATOR,
    CoordinatorStatus,
    SpiderCoordinator,
)
from spiderpool.types.metadata import read
from spiderpool.types.modes import Phase

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Caches of everything that the cluster's CIDRs can be read from."""

    config_maps: Informer
    controller_managers: Informer
    calico_pools: OptionalCache
    cilium_pools: OptionalCache
    service_cidrs: OptionalCache
    default_cni: Callable[[], tuple[str, ...] | None]

    def optional(self) -> tuple[OptionalCache, ...]:
        """The caches of kinds that need not be installed."""
        return self.calico_pools, self.cilium_pools, self.service_cidrs

    def facts(self) -> ClusterFacts:
        """Raises BadInput when the node's CNI configuration cannot be read."""
        return ClusterFacts(
            kubeadm_config=self.config_maps.get(KUBEADM_CONFIG, SYSTEM_NAMESPACE),
            controller_managers=tuple(self.controller_managers.all()),
            calico_pools=self.calico_pools.found(),
            cilium_config=self.config_maps.get(CILIUM_CONFIG, SYSTEM_NAMESPACE),
            cilium_pools=self.cilium_pools.found(),
            service_cidrs=self.service_cidrs.found(),
            default_cni=self.default_cni(),
        )


class Coordinators:
    """Reconciler of SpiderCoordinators."""

    def __init__(
        self, client: Client, coordinators: Informer, sources: Sources, recorder: EventRecorder
    ) -> None:
        self._client, self._coordinators, self._sources = client, coordinators, sources
        self._recorder = recorder
        self.queue = WorkQueue("coordinators", self.reconcile)

    def start(self) -> None:
        """Follow the SpiderCoordinators and every source."""
        self._coordinators.subscribe(self._on_coordinator)
        sources = self._sources
        sources.config_maps.subscribe(self._on_config_map)
        sources.controller_managers.subscribe(lambda old, new: self.look_again())
        for cache in sources.optional():
            cache.on_served = self.look_again
            cache.subscribe(lambda old, new: self.look_again())

    def look_again(self) -> None:
        """Something that the status depends on changed."""
        self.queue.add(DEFAULT_COORDINATOR)

    def _on_coordinator(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(new["metadata"]["name"])

    def _on_config_map(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None and obj["metadata"]["name"] in (KUBEADM_CONFIG, CILIUM_CONFIG):
            self.look_again()

    async def reconcile(self, name: str) -> None:
        """Write finalizer and status of one SpiderCoordinator, when they are not so already."""
        obj = self._coordinators.get(name)
        if obj is None:
            return
        if obj["metadata"].get("deletionTimestamp"):
            await let_go(self._client, SPIDERCOORDINATOR, obj)
            return
        obj = await completed(self._client, SPIDERCOORDINATOR, obj, self._coordinators)
        status = encode(self._status(name, obj))
        if obj.get("status") == status:
            return
        written = await self._client.update(
            SPIDERCOORDINATOR, obj | {"status": status}, subresource="status"
        )
        self._coordinators.observe(written)
        log.info("SpiderCoordinator %s: %s %s", name, status["phase"], status.get("reason", ""))
        if reason := status.get("reason"):
            kind, uid = SpiderCoordinator.KIND, obj["metadata"]["uid"]
            subject = Subject(kind.api_version, kind.kind, name, uid=uid)
            self._recorder.warn(subject, Reason.CLUSTER_NOT_READY, reason)

    def _status(self, name: str, obj: Object) -> CoordinatorStatus:
        if name != DEFAULT_COORDINATOR:
            reason = f"only the SpiderCoordinator {DEFAULT_COORDINATOR!r} is used"
            return CoordinatorStatus(phase=Phase.NOT_READY, reason=reason)
        try:
            return discover(read(SpiderCoordinator, obj).spec, self._sources.facts())
        except KubeError as exc:
            if obj.get("status"):
                raise  # what was known holds: pods are not refused for a right that is missing
            return CoordinatorStatus(phase=Phase.NOT_READY, reason=f"{exc}; {BY_HAND}")
        except BadInput as exc:
            return CoordinatorStatus(phase=Phase.NOT_READY, reason=str(exc))
