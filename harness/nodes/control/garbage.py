"""Which objects go with their owners, and which owners wait for what they own. Pure.

An object goes when all its owners are gone. An owner that is deleted in the foreground waits
for the dependents that block it; one that is deleted with ``orphan`` lets them all go first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.nodes.control.actions import Action, Delete, Patch
from harness.nodes.control.podstate import is_terminating
from spiderpool.kube.api import Object
from spiderpool.kube.resources import Resource

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Node:
    """An object and its kind."""

    resource: Resource
    obj: Object

    @property
    def uid(self) -> str:
        return str(self.obj["metadata"]["uid"])

    @property
    def finalizers(self) -> list[str]:
        return self.obj["metadata"].get("finalizers") or []


@dataclass(frozen=True, slots=True)
class Ownership:
    """One owner reference: ``owner`` is None when the owner is known to be gone."""

    reference: Object
    owner: Node | None


def dependent_actions(dependent: Node, ownerships: Iterable[Ownership]) -> list[Action]:
    """What happens to an object because of its owners' state."""
    present, gone, waiting = [], [], []
    for ownership in ownerships:
        owner = ownership.owner
        if owner is None:
            gone.append(ownership.reference)
        elif is_terminating(owner.obj) and FOREGROUND in owner.finalizers:
            waiting.append(ownership.reference)
        else:
            present.append(ownership.reference)
    if (not gone and not waiting) or is_terminating(dependent.obj):
        return []
    if present:
        return [Patch(dependent.resource, dependent.obj, _references(dependent.obj, present))]
    return [Delete(dependent.resource, dependent.obj, "Foreground" if waiting else "Background")]


def _references(obj: Object, kept: list[Object]) -> Object:
    return {"metadata": {"ownerReferences": kept or None, "uid": obj["metadata"]["uid"]}}


def owner_actions(owner: Node, dependents: list[Node]) -> list[Action]:
    """What happens to an object that is being deleted, because of what it owns."""
    if not is_terminating(owner.obj):
        return []
    if ORPHAN in owner.finalizers:
        released = [_release(owner, dependent) for dependent in dependents]
        return [*released, _without(owner, ORPHAN)]
    if FOREGROUND in owner.finalizers and not any(_blocks(owner, each) for each in dependents):
        return [_without(owner, FOREGROUND)]
    return []


def _release(owner: Node, dependent: Node) -> Action:
    references = dependent.obj["metadata"].get("ownerReferences") or []
    kept = [reference for reference in references if reference["uid"] != owner.uid]
    return Patch(dependent.resource, dependent.obj, _references(dependent.obj, kept))


def _blocks(owner: Node, dependent: Node) -> bool:
    references = dependent.obj["metadata"].get("ownerReferences") or []
    return any(
        reference["uid"] == owner.uid and reference.get("blockOwnerDeletion")
        for reference in references
    )


def _without(owner: Node, finalizer: str) -> Action:
    """Guarded by the revision, so that a finalizer that came meanwhile is not lost."""
    kept = [name for name in owner.finalizers if name != finalizer]
    revision = owner.obj["metadata"]["resourceVersion"]
    body = {"metadata": {"finalizers": kept or None, "resourceVersion": revision}}
    return Patch(owner.resource, owner.obj, body)
