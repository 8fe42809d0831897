"""Workloads and Services: each pure plan with the changes that call for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from harness.nodes.control.actions import Action, Create, Delete, Patch, carry_out
from harness.nodes.control.catalogue import Catalogue
from harness.nodes.control.daemonsets import daemon_set_plan
from harness.nodes.control.deployments import deployment_plan
from harness.nodes.control.endpoints import (
    MANAGER,
    MANAGER_LABEL,
    SERVICE_LABEL,
    differs,
    endpoints_of,
    has_endpoints,
    slices_of,
)
from harness.nodes.control.jobs import job_plan
from harness.nodes.control.owners import Owned, controller_of
from harness.nodes.control.podstate import labels_of
from harness.nodes.control.replicasets import replica_set_plan
from harness.nodes.control.statefulsets import stateful_set_plan
from spiderpool.controller.queue import WorkQueue
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.informer import Key, key_of
from spiderpool.kube.resources import (
    DAEMONSET,
    DEPLOYMENT,
    ENDPOINTS,
    ENDPOINTSLICE,
    JOB,
    NODE,
    POD,
    REPLICASET,
    SERVICE,
    STATEFULSET,
    Resource,
)

Plan = Callable[[Object, list[Object], datetime], list[Action]]


class Workload:
    """Objects of one kind, each planned anew when it or something that it owns changes."""

    def __init__(
        self, client: Client, catalogue: Catalogue, resource: Resource, owned: Resource, plan: Plan
    ) -> None:
        self.queue: WorkQueue[Key] = WorkQueue(resource.plural, self._reconcile)
        self._client, self._catalogue = client, catalogue
        self.resource, self._plan = resource, plan
        self._owned_resource = owned
        self._owned: Owned | None = None

    def start(self) -> None:
        self._owned = Owned(self._catalogue[self._owned_resource])
        self._catalogue[self.resource].subscribe(self._changed)
        self._catalogue[self._owned_resource].subscribe(self._owned_changed)

    def add_all(self) -> None:
        for obj in self._catalogue[self.resource].all():
            self.queue.add(key_of(obj))

    def _changed(self, _: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(key_of(new))

    def _owned_changed(self, old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            reference = controller_of(obj) if obj else None
            if obj and reference and reference["kind"] == self.resource.kind:
                self.queue.add((obj["metadata"].get("namespace"), reference["name"]))

    async def _reconcile(self, key: Key) -> None:
        obj = self._catalogue[self.resource].get(key[1], key[0])
        if obj is None or self._owned is None:
            return
        actions = self._plan(obj, self._owned.of(obj), datetime.now(UTC))
        await carry_out(self._client, self._catalogue, actions)
        self._come_back(key, obj)

    def _come_back(self, key: Key, obj: Object) -> None:
        """Pods become available by the passing of time alone."""
        seconds = (obj.get("spec") or {}).get("minReadySeconds")
        if seconds:
            asyncio.get_running_loop().call_later(seconds + 1, self.queue.add, key)


def workloads(client: Client, catalogue: Catalogue) -> list[Workload]:
    """Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs."""
    nodes: Informer = catalogue[NODE]
    plans: list[tuple[Resource, Resource, Plan]] = [
        (DEPLOYMENT, REPLICASET, deployment_plan),
        (REPLICASET, POD, replica_set_plan),
        (STATEFULSET, POD, lambda obj, owned, _: stateful_set_plan(obj, owned)),
        (DAEMONSET, POD, lambda obj, owned, _: daemon_set_plan(obj, owned, nodes.all())),
        (JOB, POD, job_plan),
    ]
    found = [Workload(client, catalogue, resource, owned, plan) for resource, owned, plan in plans]
    daemon_sets = next(each for each in found if each.resource == DAEMONSET)
    nodes.subscribe(lambda *_: daemon_sets.add_all())
    return found


class Endpoints:
    """Services, each looked at when it or one of its pods changes."""

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self.queue: WorkQueue[Key] = WorkQueue("endpoints", self._reconcile)
        self._client, self._catalogue = client, catalogue

    def start(self) -> None:
        self._catalogue[SERVICE].subscribe(self._service_changed)
        self._catalogue[POD].subscribe(self._pod_changed)

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is not None:
            self.queue.add(key_of(obj))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for service in self._catalogue[SERVICE].all():
            if any(obj and _selects(service, obj) for obj in (old, new)):
                self.queue.add(key_of(service))

    async def _reconcile(self, key: Key) -> None:
        service = self._catalogue[SERVICE].get(key[1], key[0])
        if service is None:
            await self._forget(key)
            return
        if not has_endpoints(service):
            return
        pods = self._catalogue[POD].all()
        actions = self._endpoints(service, pods) + self._slices(service, pods)
        await carry_out(self._client, self._catalogue, actions)

    async def _forget(self, key: Key) -> None:
        """Slices go with their owner; Endpoints have none."""
        found = self._catalogue[ENDPOINTS].get(key[1], key[0])
        if found is not None:
            await carry_out(self._client, self._catalogue, [Delete(ENDPOINTS, found)])

    def _endpoints(self, service: Object, pods: list[Object]) -> list[Action]:
        metadata = service["metadata"]
        wanted = endpoints_of(service, pods)
        found = self._catalogue[ENDPOINTS].get(metadata["name"], metadata["namespace"])
        return _written(ENDPOINTS, wanted, found)

    def _slices(self, service: Object, pods: list[Object]) -> list[Action]:
        metadata = service["metadata"]
        found = {
            each["metadata"]["name"]: each
            for each in self._catalogue[ENDPOINTSLICE].all()
            if each["metadata"]["namespace"] == metadata["namespace"]
            and labels_of(each).get(SERVICE_LABEL) == metadata["name"]
            and each["metadata"]["labels"].get(MANAGER_LABEL) == MANAGER
        }
        actions: list[Action] = []
        for wanted in slices_of(service, pods):
            actions += _written(ENDPOINTSLICE, wanted, found.pop(wanted["metadata"]["name"], None))
        return actions + [Delete(ENDPOINTSLICE, each) for each in found.values()]


def _written(resource: Resource, wanted: Object, found: Object | None) -> list[Action]:
    if found is None:
        return [Create(resource, wanted)]
    if not differs(wanted, found):
        return []
    fields = ("subsets", "endpoints", "ports")
    body = {name: wanted[name] for name in fields if name in wanted}
    return [Patch(resource, found, {**body, "metadata": {"labels": wanted["metadata"]["labels"]}})]


def _selects(service: Object, pod: Object) -> bool:
    selector = (service.get("spec") or {}).get("selector") or {}
    same = pod["metadata"].get("namespace") == service["metadata"].get("namespace")
    return bool(selector) and same and selector.items() <= labels_of(pod).items()
