"""What goes with its owner, and in which order."""

from __future__ import annotations

from typing import Any

from harness.nodes.control.actions import Delete, Patch
from harness.nodes.control.garbage import Node, Ownership, dependent_actions, owner_actions
from spiderpool.kube.resources import CONFIGMAP


def graph_node(name: str, **metadata: Any) -> Node:
    return Node(
        CONFIGMAP, {"metadata": {"name": name, "uid": name, "resourceVersion": "1", **metadata}}
    )


def owned_by(*uids: str, blocking: bool = False) -> Node:
    references = [{"uid": uid, "name": uid, "blockOwnerDeletion": blocking} for uid in uids]
    return graph_node("child", ownerReferences=references)


def ownership(uid: str, found: Node | None) -> Ownership:
    return Ownership({"uid": uid}, found)


FOREGROUND = {"deletionTimestamp": "x", "finalizers": ["foregroundDeletion"]}


def test_object_goes_with_its_last_owner() -> None:
    child = owned_by("a", "b")
    gone = [ownership("a", None), ownership("b", None)]
    assert dependent_actions(child, gone) == [Delete(CONFIGMAP, child.obj, "Background")]
    half = [ownership("a", None), ownership("b", graph_node("b"))]
    (patch,) = dependent_actions(child, half)
    assert isinstance(patch, Patch)
    assert patch.body["metadata"]["ownerReferences"] == [{"uid": "b"}]
    alive = [ownership("a", graph_node("a")), ownership("b", graph_node("b"))]
    assert dependent_actions(child, alive) == []


def test_owner_that_waits_takes_its_dependents_first() -> None:
    child, waiting = owned_by("a", blocking=True), graph_node("a", **FOREGROUND)
    assert dependent_actions(child, [ownership("a", waiting)]) == [
        Delete(CONFIGMAP, child.obj, "Foreground")
    ]
    assert owner_actions(waiting, [child]) == []
    (last,) = owner_actions(waiting, [])
    assert isinstance(last, Patch)
    assert last.body["metadata"]["finalizers"] is None
    assert isinstance(owner_actions(waiting, [owned_by("a")])[0], Patch)


def test_orphans_are_released_before_their_owner_goes() -> None:
    going = graph_node("a", deletionTimestamp="x", finalizers=["orphan", "other.io/x"])
    release, last = owner_actions(going, [owned_by("a", "b")])
    assert isinstance(release, Patch)
    assert [each["uid"] for each in release.body["metadata"]["ownerReferences"]] == ["b"]
    assert isinstance(last, Patch)
    assert last.body["metadata"]["finalizers"] == ["other.io/x"]


def test_living_owner_does_nothing() -> None:
    assert owner_actions(graph_node("a"), [owned_by("a")]) == []
