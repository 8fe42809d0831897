"""A cache for every kind whose objects can own or be owned, built-in or defined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

from spiderpool.kube import resources
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.informer import WatchedCache, cancel
from spiderpool.kube.resources import CRD, Resource

BUILTIN = (
    resources.NAMESPACE,
    resources.NODE,
    resources.POD,
    resources.CONFIGMAP,
    resources.SECRET,
    resources.SERVICE,
    resources.ENDPOINTS,
    resources.ENDPOINTSLICE,
    resources.LEASE,
    resources.DEPLOYMENT,
    resources.REPLICASET,
    resources.STATEFULSET,
    resources.DAEMONSET,
    resources.JOB,
    resources.CRONJOB,
    CRD,
    Resource("", "v1", "serviceaccounts", "ServiceAccount"),
)
Added = Callable[[Resource, Informer], None]


def defined(crd: Object) -> Resource | None:
    """The kind that a definition adds, in its stored version; None until it is established."""
    conditions = (crd.get("status") or {}).get("conditions") or []
    established = any(
        each["type"] == "Established" and each["status"] == "True" for each in conditions
    )
    spec = crd["spec"]
    version = next((each["name"] for each in spec["versions"] if each.get("storage")), None)
    if not established or version is None:
        return None
    names = spec["names"]
    namespaced = spec["scope"] == "Namespaced"
    return Resource(spec["group"], version, names["plural"], names["kind"], namespaced)


class Catalogue(Mapping[Resource, Informer]):
    """Caches by kind; those of definitions come and go with them. Needs a running loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._caches: dict[Resource, WatchedCache] = {}
        self._tasks: dict[Resource, asyncio.Task[None]] = {}
        self._definitions: dict[str, Resource] = {}
        self._added: list[Added] = []
        for resource in BUILTIN:
            self._add(resource)
        self._caches[CRD].subscribe(self._definition_changed)

    def __getitem__(self, resource: Resource) -> Informer:
        return self._caches[resource]

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._caches))

    def __len__(self) -> int:
        return len(self._caches)

    def find(self, api_version: str, kind: str) -> Resource | None:
        """By group and kind: references may name any served version."""
        group = api_version.rpartition("/")[0]
        return next(
            (each for each in self._caches if (each.group, each.kind) == (group, kind)), None
        )

    def on_added(self, handler: Added) -> None:
        """Called for each cache, those that are there already included."""
        self._added.append(handler)
        for resource, cache in list(self._caches.items()):
            handler(resource, cache)

    async def synced(self) -> None:
        await asyncio.gather(*(self._caches[resource].synced() for resource in BUILTIN))

    async def close(self) -> None:
        await cancel(self._tasks.values())

    def _add(self, resource: Resource) -> None:
        cache = self._caches[resource] = WatchedCache(self._client, resource)
        name = f"watch {resource.plural}"
        self._tasks[resource] = asyncio.get_running_loop().create_task(cache.run(), name=name)
        for handler in self._added:
            handler(resource, cache)

    def _definition_changed(self, old: Object | None, new: Object | None) -> None:
        name = str(((new or old) or {})["metadata"]["name"])
        resource = defined(new) if new else None
        before = self._definitions.pop(name, None)
        if before is not None and before != resource:
            self._tasks.pop(before).cancel()
            del self._caches[before]
        if resource is not None:
            self._definitions[name] = resource
            if resource != before:
                self._add(resource)
