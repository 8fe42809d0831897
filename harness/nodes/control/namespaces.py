"""Namespaces that are being deleted: first everything in them, then they themselves."""

from __future__ import annotations

from harness.nodes.control.actions import Action, Delete, carry_out
from harness.nodes.control.catalogue import Catalogue
from harness.nodes.control.podstate import is_terminating
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import EVENT, NAMESPACE, Resource


class Namespaces:
    """One queue of namespaces' names."""

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self.queue: WorkQueue[str] = WorkQueue("namespaces", self._reconcile)
        self._client, self._catalogue = client, catalogue

    def start(self) -> None:
        self._catalogue[NAMESPACE].subscribe(self._namespace_changed)
        self._catalogue.on_added(self._follow)

    def _namespace_changed(self, _: Object | None, new: Object | None) -> None:
        if new is not None and is_terminating(new):
            self.queue.add(new["metadata"]["name"])

    def _follow(self, resource: Resource, cache: Informer) -> None:
        """An object that goes may have been the last one of its namespace."""

        def changed(old: Object | None, new: Object | None) -> None:
            if new is None and old is not None:
                self._look_at(old["metadata"]["namespace"])

        if resource.namespaced:
            cache.subscribe(changed)

    def _look_at(self, name: str) -> None:
        namespace = self._catalogue[NAMESPACE].get(name)
        if namespace is not None and is_terminating(namespace):
            self.queue.add(name)

    async def _reconcile(self, name: str) -> None:
        namespace = self._catalogue[NAMESPACE].get(name)
        if namespace is None or not is_terminating(namespace):
            return
        left = 0
        for resource in (*self._catalogue, EVENT):
            if resource.namespaced:
                left += await self._empty(resource, name)
        if not left:
            await self._finish(namespace)

    async def _empty(self, resource: Resource, namespace: str) -> int:
        """Delete what is there now; how many are left, waiting for something."""
        found = (await self._client.list(resource, namespace))["items"]
        deletions: list[Action] = [
            Delete(resource, obj) for obj in found if not is_terminating(obj)
        ]
        await carry_out(self._client, self._catalogue, deletions)
        if not deletions:
            return len(found)
        return len((await self._client.list(resource, namespace))["items"])

    async def _finish(self, namespace: Object) -> None:
        finalizers = (namespace.get("spec") or {}).get("finalizers") or []
        if "kubernetes" not in finalizers:
            return
        rest = [name for name in finalizers if name != "kubernetes"]
        try:
            await self._client.update(
                NAMESPACE, {**namespace, "spec": {"finalizers": rest}}, subresource="finalize"
            )
        except NotFound:
            return
