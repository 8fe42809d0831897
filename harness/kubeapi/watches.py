"""Watch: changes of the store as the events that one watcher should see."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from harness.kubeapi.cluster import Cluster, presented
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object
from harness.kubeapi.reads import selected
from harness.kubeapi.request import Query
from harness.kubeapi.selectors import Predicate
from harness.kubeapi.status import ApiError
from harness.kubeapi.store import Change, Happened

BOOKMARK_SECONDS = 5.0
"""After so long without an event, a watcher that asked for bookmarks gets one."""

_DEFAULT_SECONDS = 1800
_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


@dataclass(frozen=True, slots=True)
class Event:
    """``type`` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    obj: Object


def event_of(change: Change, holds: Predicate) -> Event | None:
    """What a watcher with this selection sees of a change.

    An object that begins to match is added, one that ceases to is deleted: the latter is
    shown as it was when it matched, under the revision of the change.
    """
    matches = change.happened is not Happened.DELETED and holds(change.new)
    matched = change.old is not None and holds(change.old)
    if matches:
        return Event("MODIFIED" if matched else "ADDED", change.new)
    if not matched or change.old is None:
        return None
    revision = change.new["metadata"]["resourceVersion"]
    metadata = {**change.old["metadata"], "resourceVersion": revision}
    return Event("DELETED", {**change.old, "metadata": metadata})


async def watch(cluster: Cluster, kind: Kind, namespace: str, query: Query) -> AsyncIterator[Event]:
    """Events until the client's ``timeoutSeconds`` are over or the kind is gone.

    A revision that is too old is an ERROR event, not an exception, since the answer has
    begun by then.
    """
    holds = selected(kind, namespace, query)
    seconds = query.number("timeoutSeconds") or _DEFAULT_SECONDS
    bookmarks, asked = query.flag("allowWatchBookmarks"), query.revision or 0
    initial = query.flag("sendInitialEvents") or not asked
    after = cluster.store.revision if initial else asked
    if initial and query.text("sendInitialEvents") != "false":
        for obj in cluster.store.all(kind.bucket, namespace):
            if holds(obj):
                yield Event("ADDED", presented(kind, obj))
        if bookmarks:
            yield _bookmark(kind, after, _INITIAL_EVENTS_END)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            changes = await cluster.store.changes(kind.bucket, after, min(left, BOOKMARK_SECONDS))
        except ApiError as error:
            yield Event("ERROR", error.status)
            return
        if changes is None:
            return
        for change in changes:
            after = change.revision
            event = event_of(change, holds)
            if event:
                yield Event(event.type, presented(kind, event.obj))
        if not changes:
            after = max(after, cluster.store.revision)
            if bookmarks:
                yield _bookmark(kind, after)


def _bookmark(kind: Kind, revision: int, annotations: Object | None = None) -> Event:
    metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
    if annotations:
        metadata["annotations"] = annotations
    obj = {"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata}
    return Event("BOOKMARK", obj)
