"""An in-memory Kubernetes API, for tests that need its rules but no server.

What it keeps: resource versions and conflicts, the status subresource, generations,
finalizers and deletion timestamps, graceful deletion of pods on a node, selectors, list
and watch with history. What it leaves out: schemas, admission, owner references'
collection, server-side apply. The contract tests that it passes are the embedded API's.
"""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from spiderpool.errors import AlreadyExists, Conflict, Gone, Invalid, KubeError, NotFound
from spiderpool.kube.api import JSON_PATCH, LARGEST_PAGE, MERGE_PATCH, PART_OF_LIST, Object
from spiderpool.kube.informer import Key, key_of, version_of
from spiderpool.kube.paths import collection_path, object_path
from spiderpool.kube.resources import (
    DAEMONSET,
    DEPLOYMENT,
    GROUP,
    NODE,
    POD,
    REPLICASET,
    SPIDERCOORDINATOR,
    SPIDERIPPOOL,
    SPIDERSUBNET,
    STATEFULSET,
    Resource,
)
from spiderpool.testing.patches import apply_operations, merge
from spiderpool.testing.selectors import Matches, matcher
from spiderpool.testing.watchevents import bookmark_event, change_event

WITH_STATUS = frozenset(
    {
        SPIDERIPPOOL,
        SPIDERSUBNET,
        SPIDERCOORDINATOR,
        POD,
        NODE,
        DEPLOYMENT,
        REPLICASET,
        STATEFULSET,
        DAEMONSET,
    }
)
"""Kinds whose status is written by the subresource only. SpiderEndpoint is not one."""

POD_GRACE_SECONDS = 30


@dataclass(slots=True)
class _Collection:
    """The objects of one kind, and every change to them as (version, before, after)."""

    objects: dict[Key, Object] = field(default_factory=dict)
    changes: list[tuple[int, Object | None, Object | None]] = field(default_factory=list)
    forgotten: int = 0


class FakeClient:
    """:class:`spiderpool.kube.api.Client` on dictionaries.

    ``pages`` is what is served at paths that are no objects; ``refuse`` stands for admission:
    what it returns for an object that is to be created is raised.
    """

    def __init__(self, objects: Iterable[tuple[Resource, Object]] = ()) -> None:
        self.pages: dict[str, bytes] = {"/version": b'{"gitVersion": "v1.35.0"}'}
        self.refuse: Callable[[Resource, Object], KubeError | None] | None = None
        self._newest = 0
        self._collections: dict[Resource, _Collection] = {}
        self._changed = asyncio.Condition()
        self._happened = 0
        self._watch_era = 0
        self._bookmarks = 0
        for resource, obj in objects:
            self._create(resource, obj)

    # Reading

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        await asyncio.sleep(0)
        object_path(resource, name, namespace)
        return copy.deepcopy(self._stored(resource, (namespace, name)))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Object:
        await asyncio.sleep(0)
        collection_path(resource, namespace)
        chosen = _chosen(namespace, matcher(label_selector, field_selector))
        return {
            "apiVersion": resource.api_version,
            "kind": f"{resource.kind}List",
            "metadata": {"resourceVersion": str(self._newest)},
            "items": [
                copy.deepcopy(obj) for obj in self._of(resource).objects.values() if chosen(obj)
            ],
        }

    async def list_parts(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        most: int = PART_OF_LIST,
        **selectors: str,
    ) -> AsyncIterator[Object]:
        whole = await self.list(resource, namespace, **selectors)
        items = whole["items"]
        for start in range(0, len(items) or 1, most):
            yield whole | {"items": items[start : start + most]}
            await asyncio.sleep(0)

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncIterator[Object]:
        chosen = _chosen(namespace, matcher(label_selector, field_selector))
        collection, era, bookmarks = self._of(resource), self._watch_era, self._bookmarks
        seen = int(resource_version or 0)
        if seen == 0:
            for obj in list(collection.objects.values()):
                if chosen(obj):
                    yield {"type": "ADDED", "object": copy.deepcopy(obj)}
            seen = self._newest
        while True:
            happened = self._happened
            if seen < collection.forgotten:
                raise Gone(410, "Expired", f"too old resource version: {seen}")
            for version, before, after in list(collection.changes):
                if version > seen:
                    seen = version
                    event = change_event(version, before, after, chosen)
                    if event is not None:
                        yield event
            if bookmarks != self._bookmarks:
                bookmarks, seen = self._bookmarks, self._newest
                yield bookmark_event(resource, seen)
            if era != self._watch_era:
                return
            await self._anything_since(happened)

    async def page(
        self, path: str, query: Mapping[str, str] | None = None, *, most: int = LARGEST_PAGE
    ) -> bytes:
        await asyncio.sleep(0)
        if path not in self.pages:
            raise NotFound(404, "NotFound", f"GET {path}: the API server answered 404")
        return self.pages[path][:most]

    # Writing

    async def create(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        await asyncio.sleep(0)
        if self.refuse is not None and (problem := self.refuse(resource, obj)):
            raise problem
        if dry_run:
            return copy.deepcopy(obj)
        return await self._told(self._create(resource, obj))

    async def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        await asyncio.sleep(0)
        stored = self._stored(resource, key_of(obj))
        if not version_of(obj) and resource.group in (GROUP, "k8s.cni.cncf.io"):
            raise Invalid(422, "Invalid", "metadata.resourceVersion: must be specified")
        return await self._told(self._write(resource, stored, obj, subresource))

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
        field_manager: str = "",
    ) -> Object:
        await asyncio.sleep(0)
        stored = self._stored(resource, (namespace, name))
        draft = copy.deepcopy(stored)
        if content_type == MERGE_PATCH and isinstance(body, Mapping):
            draft = merge(draft, copy.deepcopy(body))
        elif content_type == JSON_PATCH and not isinstance(body, Mapping):
            draft = apply_operations(draft, copy.deepcopy(body))
        else:
            raise KubeError(415, "UnsupportedMediaType", f"the fake API has no {content_type}")
        return await self._told(self._write(resource, stored, draft, subresource))

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str = "",
        grace_seconds: int | None = None,
        propagation: str = "",
    ) -> None:
        if propagation not in ("", "Background"):
            raise NotImplementedError(f"the fake has no propagation {propagation}")
        await asyncio.sleep(0)
        stored = self._stored(resource, (namespace, name))
        if uid and uid != stored["metadata"]["uid"]:
            raise _conflict(
                resource, name, f"the UID in the precondition ({uid}) is not the object's"
            )
        runs = resource == POD and (stored.get("spec") or {}).get("nodeName")
        grace = (POD_GRACE_SECONDS if grace_seconds is None else grace_seconds) if runs else 0
        if not grace and not stored["metadata"].get("finalizers"):
            self._remove(resource, stored)
        elif not stored["metadata"].get("deletionTimestamp"):
            draft = copy.deepcopy(stored)
            draft["metadata"] |= {"deletionTimestamp": _now(), "deletionGracePeriodSeconds": grace}
            self._store(resource, stored, draft)
        await self._told({})

    async def close(self) -> None:
        """Nothing to close."""

    # What tests do to it

    async def forget_history(self) -> None:
        """Compact: a watch from any older version is answered by Gone."""
        for collection in self._collections.values():
            collection.changes.clear()
            collection.forgotten = self._newest
        self._happened += 1
        await self._tell()

    async def end_watches(self) -> None:
        """Close every watch that is open, as a server does after a while."""
        self._watch_era += 1
        self._happened += 1
        await self._tell()

    async def bookmark(self) -> None:
        """Send a bookmark on every watch."""
        self._bookmarks += 1
        self._happened += 1
        await self._tell()

    # The rules

    def _of(self, resource: Resource) -> _Collection:
        return self._collections.setdefault(resource, _Collection())

    def _stored(self, resource: Resource, key: Key) -> Object:
        key = (key[0] if resource.namespaced else None, key[1])
        found = self._of(resource).objects.get(key)
        if found is None:
            raise NotFound(
                404,
                "NotFound",
                f'{resource.plural} "{key[1]}" not found',
                {"name": key[1], "group": resource.group, "kind": resource.plural},
            )
        return found

    def _create(self, resource: Resource, obj: Object) -> Object:
        draft = copy.deepcopy(obj)
        metadata = draft["metadata"]
        if "name" not in metadata and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        object_path(resource, metadata["name"], metadata.get("namespace"))
        if key_of(draft) in self._of(resource).objects:
            words = f'{resource.plural} "{metadata["name"]}" already exists'
            raise AlreadyExists(409, "AlreadyExists", words)
        if resource in WITH_STATUS and resource.group == GROUP:
            draft.pop("status", None)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": _now(), "generation": 1}
        draft |= {"apiVersion": resource.api_version, "kind": resource.kind}
        return self._store(resource, None, draft)

    def _write(self, resource: Resource, stored: Object, obj: Object, subresource: str) -> Object:
        name = stored["metadata"]["name"]
        if version_of(obj) not in (0, version_of(stored)):
            raise _conflict(resource, name, "the object has been modified")
        if obj["metadata"].get("uid") not in (None, "", stored["metadata"]["uid"]):
            raise _conflict(resource, name, "the UID is another object's")
        if subresource == "status" and resource not in WITH_STATUS:
            raise NotFound(404, "NotFound", "the server could not find the requested resource")
        draft = _with_fixed_metadata(stored, obj)
        if resource in WITH_STATUS:
            base, changed = (stored, draft) if subresource == "status" else (draft, stored)
            metadata = (base if resource.group == GROUP else draft)["metadata"]
            draft = {**base, "metadata": metadata, "status": copy.deepcopy(changed.get("status"))}
            if draft["status"] is None:
                del draft["status"]
        if _without_metadata(draft, resource) != _without_metadata(stored, resource):
            draft["metadata"] = {**draft["metadata"]}
            draft["metadata"]["generation"] = stored["metadata"]["generation"] + 1
        if draft == stored:
            return stored
        if _is_done_for(draft["metadata"]):
            return self._remove(resource, stored)
        return self._store(resource, stored, draft)

    def _store(self, resource: Resource, before: Object | None, after: Object) -> Object:
        self._advance()
        after = {**after, "metadata": {**after["metadata"], "resourceVersion": str(self._newest)}}
        collection = self._of(resource)
        collection.objects[key_of(after)] = after
        collection.changes.append((self._newest, before, after))
        return after

    def _remove(self, resource: Resource, stored: Object) -> Object:
        self._advance()
        collection = self._of(resource)
        del collection.objects[key_of(stored)]
        collection.changes.append((self._newest, stored, None))
        return stored

    def _advance(self) -> None:
        self._newest += 1
        self._happened += 1

    async def _anything_since(self, happened: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._happened != happened)

    async def _told(self, answer: Object) -> Object:
        await self._tell()
        return copy.deepcopy(answer)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _chosen(namespace: str | None, matches: Matches) -> Matches:
    def chosen(obj: Object) -> bool:
        return (not namespace or obj["metadata"].get("namespace") == namespace) and matches(obj)

    return chosen


def _with_fixed_metadata(stored: Object, obj: Object) -> Object:
    """``obj`` with the metadata that only the server writes."""
    draft = copy.deepcopy(obj)
    for name in (
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "namespace",
    ):
        draft["metadata"].pop(name, None)
        if name in stored["metadata"]:
            draft["metadata"][name] = stored["metadata"][name]
    return {**draft, "apiVersion": stored["apiVersion"], "kind": stored["kind"]}


def _is_done_for(metadata: Object) -> bool:
    """Deleted, nobody's finalizer holds it, and no grace period runs."""
    return (
        bool(metadata.get("deletionTimestamp"))
        and not metadata.get("finalizers")
        and not metadata.get("deletionGracePeriodSeconds")
    )


def _without_metadata(obj: Object, resource: Resource) -> Object:
    left_out = {"metadata"} | ({"status"} if resource in WITH_STATUS else set())
    return {key: value for key, value in obj.items() if key not in left_out}


def _conflict(resource: Resource, name: str, words: str) -> Conflict:
    return Conflict(
        409, "Conflict", f'Operation cannot be fulfilled on {resource.plural} "{name}": {words}'
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
