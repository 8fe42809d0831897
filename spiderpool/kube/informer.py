"""Caches kept by list and watch, which survive cut, hung and refused connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator

from spiderpool.errors import Gone, KubeError, NotFound, SpiderpoolError, Unreachable
from spiderpool.kube.api import PART_OF_LIST, Client, Handler, Informer, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.resources import Resource

log = logging.getLogger(__name__)

Key = tuple[str | None, str]


class WatchedCache:
    """:class:`spiderpool.kube.api.Informer` for one collection, kept by :meth:`run`.

    The rules, in terms of resource versions (integers that the server only lets grow;
    Kubernetes "API Concepts", Resource versions):

    * ``_seen`` is the version up to which the server has told everything, so an object
      that is older and not in the cache has been deleted since;
    * an object replaces another one only when its version is higher, so neither a late
      watch event nor the answer of an own write takes the cache back in time;
    * a server that is at a version below ``_seen`` was restored or restarted without its
      history: what it lists is believed.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        backoff: Backoff | None = None,
    ) -> None:
        self.resource = resource
        self.problem = "the first list has not been answered yet"
        self._told = ""
        self._is_watch_refused = False
        self._client, self._namespace = client, namespace
        self._label_selector, self._field_selector = label_selector, field_selector
        self._backoff = backoff or Backoff()
        self._objects: dict[Key, Object] = {}
        self._seen = 0
        self._handlers: list[Handler] = []
        self._synced = asyncio.Event()

    def get(self, name: str, namespace: str | None = None) -> Object | None:
        return self._objects.get((namespace, name))

    def all(self) -> list[Object]:
        return list(self._objects.values())

    def subscribe(self, handler: Handler) -> None:
        self._handlers.append(handler)
        for obj in self.all():
            self._call(handler, None, obj)

    def observe(self, obj: Object) -> None:
        if version_of(obj) > self._seen:
            self._put(obj)

    async def synced(self) -> None:
        await self._synced.wait()

    @property
    def is_synced(self) -> bool:
        """Whether the first list is in the cache."""
        return self._synced.is_set()

    async def run(self) -> None:
        """List and watch until cancelled; every failure is waited out."""
        while True:
            try:
                await self._list()
                while True:
                    await self._watch()
            except Gone:
                self._note(f"{self.resource.plural}: the watch is too old, listing again")
            except NotFound:
                self._note(f"{self.resource} is not served: is its definition (CRD) installed?")
            except SpiderpoolError as exc:
                self._note(f"{self.resource.plural}: {exc}")
            except Exception as exc:
                self._note(f"{self.resource.plural}: an answer cannot be read: {exc!r}")
            await asyncio.sleep(self._backoff.wait())

    async def _list(self) -> None:
        """Take over the server's list part by part, with a pause for others after each."""
        watch_was_refused, self._is_watch_refused = self._is_watch_refused, False
        version, listed = 0, set[Key]()
        async for part in self._parts(PART_OF_LIST):
            version = version or self._version_of_list(part)
            await asyncio.sleep(0)
            for obj in part["items"] or ():
                listed.add(key_of(obj))
                if self._is_before(key_of(obj), version):
                    self._replace(key_of(obj), obj)
        for count, key in enumerate(self._objects.keys() - listed):
            if self._is_before(key, version):
                self._drop(key)
            if count % PART_OF_LIST == PART_OF_LIST - 1:
                await asyncio.sleep(0)
        self._seen = version
        self._note("")
        self._synced.set()
        if not watch_was_refused:
            self._tell_its_end()

    def _parts(self, most: int) -> AsyncIterator[Object]:
        return self._client.list_parts(
            self.resource,
            self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            most=most,
        )

    def _version_of_list(self, part: Object) -> int:
        """Something between us and the server may answer anything; only a list empties us."""
        if "items" not in part or not (part.get("metadata") or {}).get("resourceVersion"):
            raise Unreachable(f"list {self.resource.plural}: the answer is no list")
        return version_of(part)

    def _is_before(self, key: Key, version: int) -> bool:
        """Whether a list of that version knows better about an object than the cache does."""
        return version < self._seen or self._version(key) <= version

    async def _watch(self) -> None:
        """One watch, from its start to its end; returns when it may be continued.

        One that breaks before it told anything raises, so that the next step is a list.
        """
        told = False
        try:
            async for event in self._client.watch(
                self.resource,
                self._namespace,
                resource_version=str(self._seen),
                label_selector=self._label_selector,
                field_selector=self._field_selector,
            ):
                told = True
                self._backoff.reset()
                self._tell_its_end()
                self._apply(event)
        except Unreachable:
            if not told:
                raise
        except Gone:
            raise
        except KubeError:
            self._is_watch_refused = True
            raise
        self._tell_its_end()
        if not told:
            await asyncio.sleep(self._backoff.wait())
            await self._check_history()

    async def _check_history(self) -> None:
        """After a watch that told nothing: a server that lost its history stays silent until it
        has caught up with what was seen. One object is enough to know. Raises Gone."""
        version = self._version_of_list(await anext(self._parts(1)))
        if version < self._seen:
            raise Gone(410, "Expired", f"the server is at {version}, and was at {self._seen}")

    def _apply(self, event: Object) -> None:
        obj = event["object"]
        version = version_of(obj)
        if version < self._seen:
            raise Gone(410, "Expired", f"the server is at {version}, and was at {self._seen}")
        if event["type"] in ("ADDED", "MODIFIED"):
            self._put(obj)
        elif event["type"] == "DELETED" and 0 <= self._version(key_of(obj)) <= version:
            self._drop(key_of(obj))
        self._seen = max(self._seen, version)

    def _put(self, obj: Object) -> None:
        key = key_of(obj)
        if self._version(key) < version_of(obj):
            self._replace(key, obj)

    def _version(self, key: Key) -> int:
        """The version in the cache; -1 when the object is not there."""
        old = self._objects.get(key)
        return -1 if old is None else version_of(old)

    def _replace(self, key: Key, obj: Object) -> None:
        """managedFields, a third of a pod, are left out: a PUT without them changes none
        (Kubernetes "Server-Side Apply", Field management)."""
        obj["metadata"].pop("managedFields", None)
        old = self._objects.get(key)
        if old != obj:
            self._objects[key] = obj
            for handler in self._handlers:
                self._call(handler, old, obj)

    def _drop(self, key: Key) -> None:
        old = self._objects.pop(key)
        for handler in self._handlers:
            self._call(handler, old, None)

    def _call(self, handler: Handler, old: Object | None, new: Object | None) -> None:
        try:
            handler(old, new)
        except Exception:
            log.exception("a handler of %s failed", self.resource.plural)

    def _note(self, problem: str) -> None:
        """Log a problem once, not at every attempt."""
        if problem and problem != self._told:
            log.warning("%s", problem)
            self._told = problem
        self.problem = problem

    def _tell_its_end(self) -> None:
        """A list was answered, or a watch: after one that was refused, a list proves nothing."""
        if self._told:
            log.info("%s: in step again", self.resource.plural)
            self._told = ""


class Informers:
    """The caches of one process: one for each collection, run together."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._caches: list[WatchedCache] = []
        self._tasks: list[asyncio.Task[None]] = []

    def __iter__(self) -> Iterator[WatchedCache]:
        return iter(self._caches)

    def of(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Informer:
        """Start a cache; needs a running event loop."""
        cache = WatchedCache(
            self.client,
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
        )
        self._caches.append(cache)
        self._tasks.append(asyncio.create_task(cache.run(), name=f"watch {resource.plural}"))
        return cache

    async def synced(self) -> None:
        """Returns once every cache has its first list."""
        await asyncio.gather(*(cache.synced() for cache in self._caches))

    def problems(self) -> list[str]:
        """Why caches are not in step; empty when all are."""
        return [cache.problem for cache in self._caches if cache.problem]

    async def close(self) -> None:
        """Stop all caches; what they hold stays readable."""
        await cancel(self._tasks)


async def cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def key_of(obj: Object) -> Key:
    """(namespace or None, name)."""
    metadata = obj["metadata"]
    return metadata.get("namespace") or None, metadata["name"]


def version_of(obj: Object) -> int:
    """``metadata.resourceVersion`` as a number; 0 when there is none."""
    text = (obj.get("metadata") or {}).get("resourceVersion") or "0"
    return int(text) if text.isdigit() else 0
