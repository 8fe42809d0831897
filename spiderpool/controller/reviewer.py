"""Says by events what the rules of admission find wrong with objects that are stored all the same:
written while no webhook answered, before a rule was made, or two at the same moment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from spiderpool.controller.admission.findings import Cluster, Request
from spiderpool.controller.admission.review import judge, text
from spiderpool.controller.caches import Caches
from spiderpool.controller.queue import WorkQueue
from spiderpool.kube import resources
from spiderpool.kube.api import Informer, Object
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.reasons import Reason
from spiderpool.kube.resources import Resource

log = logging.getLogger(__name__)

Key = tuple[Resource, str | None, str]
"""Kind, namespace (None for cluster-wide kinds) and name."""


class Reviewer:
    """Reconciler of every kind that has rules: looks at each spec once, and changes nothing."""

    def __init__(
        self, caches: Caches, cluster: Callable[[], Cluster], recorder: EventRecorder
    ) -> None:
        self._cluster, self._recorder = cluster, recorder
        self._informers: Mapping[Resource, Informer] = {
            resources.SPIDERIPPOOL: caches.pools,
            resources.SPIDERSUBNET: caches.subnets,
            resources.SPIDERRESERVEDIP: caches.reserved,
            resources.SPIDERCOORDINATOR: caches.coordinators,
            resources.SPIDERMULTUSCONFIG: caches.networks,
        }
        self.queue: WorkQueue[Key] = WorkQueue("reviews", self.reconcile)

    def start(self) -> None:
        """Follow all kinds with rules."""
        for resource, informer in self._informers.items():
            informer.subscribe(partial(self._on_object, resource))

    def _on_object(self, resource: Resource, old: Object | None, new: Object | None) -> None:
        if new is not None and (old is None or old.get("spec") != new.get("spec")):
            metadata = new["metadata"]
            self.queue.add((resource, metadata.get("namespace"), metadata["name"]))

    async def reconcile(self, key: Key) -> None:
        """Judge one object as if it were created now."""
        resource, namespace, name = key
        obj = self._informers[resource].get(name, namespace)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return
        problems = judge(resource.plural, Request(None, obj), self._cluster()).problems
        if problems:
            words, uid = text(problems), obj["metadata"]["uid"]
            log.warning("%s %s/%s: %s", resource.kind, namespace or "", name, words)
            subject = Subject(resource.api_version, resource.kind, name, namespace or "", uid)
            self._recorder.warn(subject, Reason.NOT_USABLE, words)
