"""The garbage collector: keeps the graph of owners, and acts where it changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator

from harness.nodes.control.actions import carry_out
from harness.nodes.control.catalogue import Catalogue
from harness.nodes.control.garbage import Node, Ownership, dependent_actions, owner_actions
from harness.nodes.control.podstate import is_terminating
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import Resource


class Collector:
    """One queue of UIDs to look at."""

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self.queue: WorkQueue[str] = WorkQueue("garbage", self._reconcile)
        self._client, self._catalogue = client, catalogue
        self._nodes: dict[str, Node] = {}
        self._dependents: dict[str, set[str]] = defaultdict(set)

    def start(self) -> None:
        self._catalogue.on_added(self._follow)

    def _follow(self, resource: Resource, cache: Informer) -> None:
        def changed(old: Object | None, new: Object | None) -> None:
            if new is not None:
                if old is not None and old["metadata"]["uid"] != new["metadata"]["uid"]:
                    self._forget(Node(resource, old))
                self._note(Node(resource, new), old)
            elif old is not None:
                self._forget(Node(resource, old))

        cache.subscribe(changed)

    def _note(self, node: Node, old: Object | None) -> None:
        self._nodes[node.uid] = node
        before = set(_owner_uids(old)) if old else set()
        owners = set(_owner_uids(node.obj))
        for uid in before - owners:
            self._unlink(uid, node.uid)
        for uid in owners:
            self._dependents[uid].add(node.uid)
        if owners != before or is_terminating(node.obj):
            self.queue.add(node.uid)
        if is_terminating(node.obj) and node.finalizers:
            self._look_at_dependents(node.uid)

    def _forget(self, node: Node) -> None:
        self._nodes.pop(node.uid, None)
        for uid in _owner_uids(node.obj):
            self._unlink(uid, node.uid)
            self.queue.add(uid)
        self._look_at_dependents(node.uid)

    def _unlink(self, owner: str, dependent: str) -> None:
        dependents = self._dependents.get(owner, set())
        dependents.discard(dependent)
        if not dependents:
            self._dependents.pop(owner, None)

    def _look_at_dependents(self, uid: str) -> None:
        for dependent in self._dependents.get(uid, ()):
            self.queue.add(dependent)

    async def _reconcile(self, uid: str) -> None:
        node = self._nodes.get(uid)
        if node is None:
            return
        ownerships = [each async for each in self._ownerships(node)]
        actions = dependent_actions(node, ownerships)
        actions += owner_actions(node, list(self._dependents_of(uid)))
        await carry_out(self._client, self._catalogue, actions)

    def _dependents_of(self, uid: str) -> Iterator[Node]:
        for dependent in sorted(self._dependents.get(uid, ())):
            if dependent in self._nodes:
                yield self._nodes[dependent]

    async def _ownerships(self, node: Node) -> AsyncIterator[Ownership]:
        """Owners of kinds that are not served are taken to be there: nothing says otherwise."""
        namespace = node.obj["metadata"].get("namespace")
        for reference in node.obj["metadata"].get("ownerReferences") or []:
            resource = self._catalogue.find(reference["apiVersion"], reference["kind"])
            owner = self._nodes.get(reference["uid"])
            if owner is not None and _same_scope(owner, namespace):
                yield Ownership(reference, owner)
            elif resource is not None and not await self._exists(resource, reference, namespace):
                yield Ownership(reference, None)

    async def _exists(self, resource: Resource, reference: Object, namespace: str | None) -> bool:
        """Ask the API: the cache may only not have heard of the owner yet."""
        if resource.namespaced and not namespace:
            return False
        where = namespace if resource.namespaced else None
        try:
            found = await self._client.get(resource, reference["name"], where)
        except NotFound:
            return False
        return bool(found["metadata"]["uid"] == reference["uid"])


def _same_scope(owner: Node, namespace: str | None) -> bool:
    return not owner.resource.namespaced or owner.obj["metadata"].get("namespace") == namespace


def _owner_uids(obj: Object) -> list[str]:
    return [str(each["uid"]) for each in obj["metadata"].get("ownerReferences") or []]
