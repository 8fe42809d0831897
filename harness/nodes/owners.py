"""Ownership, as workload controllers see it: by UID of the controlling owner."""

from __future__ import annotations

from collections.abc import Iterable

from spiderpool.controller.queue import WorkQueue
from spiderpool.kube.api import Handler, Object
from spiderpool.kube.resources import Resource

Key = tuple[str, str]
"""Namespace and name."""


def key_of(obj: Object) -> Key:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def controller_of(obj: Object) -> Object | None:
    """The ownerReference with ``controller: true``."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next((entry for entry in references if entry.get("controller")), None)


def owned_by(owner: Object, candidates: Iterable[Object]) -> list[Object]:
    """What ``owner`` controls and is not being deleted, oldest first."""
    uid = owner["metadata"]["uid"]
    found = [
        obj
        for obj in candidates
        if (controller_of(obj) or {}).get("uid") == uid
        and not obj["metadata"].get("deletionTimestamp")
    ]
    return sorted(found, key=lambda obj: (obj["metadata"]["creationTimestamp"], key_of(obj)))


def owner_reference(owner: Object, resource: Resource) -> Object:
    """The reference that makes ``owner`` the controller of an object."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_ready(pod: Object) -> bool:
    """Whether the Pod's condition Ready is True."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def wakes(queue: WorkQueue[Key]) -> Handler:
    """A handler that queues each object that appears or changes."""

    def handler(old: Object | None, new: Object | None) -> None:
        if new is not None:
            queue.add(key_of(new))

    return handler


def wakes_owner(queue: WorkQueue[Key]) -> Handler:
    """A handler that queues, by name, the owners of each object that changes or goes."""

    def handler(old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            if obj is not None:
                for reference in obj["metadata"].get("ownerReferences") or ():
                    queue.add((obj["metadata"]["namespace"], reference["name"]))

    return handler
