"""Objects under one global revision, with enough history to watch and to page through.

It holds what etcd would: each write gets the next revision, which is the object's
``resourceVersion``. All calls are synchronous, so a read and a write without an ``await``
between them are one transaction.
"""

from __future__ import annotations

import asyncio
import enum
from bisect import bisect_right
from dataclasses import dataclass, field

from harness.kubeapi.objects import Object, key_of
from harness.kubeapi.status import too_old

Key = tuple[str, str]

KEPT_CHANGES = 10_000
"""Changes that each bucket remembers; who asks for older ones gets 410."""
KEPT_BYTES = 128 * 1024 * 1024
"""What these may amount to: large objects are remembered for fewer changes."""


class Happened(enum.StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``new`` of a deletion is the last state under the deletion's revision.

    ``size`` is about what remembering it costs, in bytes.
    """

    revision: int
    happened: Happened
    new: Object
    old: Object | None
    size: int = 0


@dataclass(slots=True)
class Bucket:
    """All objects of one kind, and what happened to them; ``forgotten`` is compacted."""

    objects: dict[Key, Object] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    forgotten: int = 0
    size: int = 0
    waiting: set[asyncio.Event] = field(default_factory=set)

    def since(self, revision: int) -> list[Change]:
        start = bisect_right(self.changes, revision, key=lambda change: change.revision)
        return self.changes[start:]

    def remember(self, change: Change, most: int, most_bytes: int) -> None:
        """Add a change; of more than twice as many, or of too many bytes, half are forgotten."""
        self.changes.append(change)
        self.size += change.size
        if len(self.changes) > 2 * most or self.size > most_bytes:
            gone = self.changes[: len(self.changes) // 2]
            if gone:
                self.forgotten = gone[-1].revision
            self.size -= sum(each.size for each in gone)
            del self.changes[: len(gone)]
        for event in self.waiting:
            event.set()


class Store:
    """The only owner of state; the arguments bound the history of each bucket."""

    def __init__(self, kept: int = KEPT_CHANGES, kept_bytes: int = KEPT_BYTES) -> None:
        self.revision = 1
        self._kept, self._kept_bytes = kept, kept_bytes
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, name: str) -> Bucket:
        return self._buckets.setdefault(name, Bucket())

    def get(self, bucket: str, key: Key) -> Object | None:
        return self.bucket(bucket).objects.get(key)

    def all(self, bucket: str, namespace: str = "") -> list[Object]:
        """Objects in the order of their keys, as etcd lists them."""
        objects = self.bucket(bucket).objects
        keys = (key for key in objects if not namespace or key[0] == namespace)
        return [objects[key] for key in sorted(keys)]

    def put(self, bucket: str, obj: Object, size: int = 0) -> Object:
        """Store ``obj``, of so many bytes, under the next revision, which is written into it."""
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        objects = self.bucket(bucket).objects
        old = objects.get(key_of(obj))
        objects[key_of(obj)] = obj
        happened = Happened.MODIFIED if old else Happened.ADDED
        self._record(bucket, Change(self.revision, happened, obj, old, size))
        return obj

    def delete(self, bucket: str, key: Key) -> Object:
        """Remove an object that is there; answers its last state."""
        self.revision += 1
        old = self.bucket(bucket).objects.pop(key)
        metadata = {**old["metadata"], "resourceVersion": str(self.revision)}
        gone = {**old, "metadata": metadata}
        self._record(bucket, Change(self.revision, Happened.DELETED, gone, old))
        return gone

    def drop(self, bucket: str) -> None:
        """Forget a kind whose definition is gone; its watchers end."""
        removed = self._buckets.pop(bucket, None)
        for event in removed.waiting if removed else ():
            event.set()

    def snapshot(self, bucket: str, revision: int, namespace: str = "") -> list[Object]:
        """What was there at ``revision``; raises 410 when that is forgotten."""
        held = self.bucket(bucket)
        if revision < held.forgotten:
            raise too_old(revision, held.forgotten)
        objects = dict(held.objects)
        for change in reversed(held.changes):
            if change.revision <= revision:
                break
            key = key_of(change.new)
            if change.old is None:
                del objects[key]
            else:
                objects[key] = change.old
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def _record(self, bucket: str, change: Change) -> None:
        self.bucket(bucket).remember(change, self._kept, self._kept_bytes)

    async def changes(self, bucket: str, after: int, seconds: float) -> list[Change] | None:
        """Changes after a revision, as soon as there are some.

        An empty list after ``seconds`` without any: the reader has then seen everything up
        to the present revision. None when the bucket was dropped. Raises 410 when ``after``
        is forgotten.
        """
        held = self.bucket(bucket)
        if after < held.forgotten:
            raise too_old(after, held.forgotten)
        found = held.since(after)
        if found or seconds <= 0:
            return found
        event = asyncio.Event()
        held.waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            held.waiting.discard(event)
        return held.since(after) if self._buckets.get(bucket) is held else None
