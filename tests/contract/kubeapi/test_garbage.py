"""Owners and what they own, with our collector running beside the server."""

from __future__ import annotations

from typing import Any

import pytest
from rest import Api, eventually
from widgets import widget

pytestmark = pytest.mark.usefixtures("control_plane")


def reference(owner: dict[str, Any], **more: Any) -> dict[str, Any]:
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        **more,
    }


def make(client: Api, core: str, name: str, *owners: dict[str, Any], **metadata: Any) -> Any:
    body = {"metadata": {"name": name, "ownerReferences": list(owners), **metadata}}
    return client.must(client.create(f"{core}/configmaps", body))


def gone(client: Api, path: str) -> bool:
    return client.get(path).code == 404


def test_dependents_go_with_their_owner(client: Api, core: str) -> None:
    owner = make(client, core, "owner")
    child = make(client, core, "child", reference(owner))
    make(client, core, "grandchild", reference(child))
    make(client, core, "stranger")
    client.must(client.delete(f"{core}/configmaps/owner"))
    eventually(lambda: gone(client, f"{core}/configmaps/grandchild"))
    assert gone(client, f"{core}/configmaps/child")
    assert not gone(client, f"{core}/configmaps/stranger")


def test_custom_resources_own_and_are_owned(client: Api, core: str, widget_path: str) -> None:
    owner = client.must(client.create(widget_path, widget("owner")))
    make(client, core, "child", reference(owner))
    body = {**widget("child"), "metadata": {"name": "child", "ownerReferences": [reference(owner)]}}
    client.must(client.create(widget_path, body))
    client.must(client.delete(f"{widget_path}/owner"))
    eventually(lambda: gone(client, f"{core}/configmaps/child"))
    eventually(lambda: gone(client, f"{widget_path}/child"))


def test_object_born_after_its_owner_died_goes(client: Api, core: str) -> None:
    owner = make(client, core, "owner")
    client.must(client.delete(f"{core}/configmaps/owner"))
    make(client, core, "late", reference(owner))
    eventually(lambda: gone(client, f"{core}/configmaps/late"))


def test_same_name_is_not_the_same_owner(client: Api, core: str) -> None:
    owner = make(client, core, "owner")
    client.must(client.delete(f"{core}/configmaps/owner"))
    make(client, core, "owner")
    make(client, core, "child", reference(owner))
    eventually(lambda: gone(client, f"{core}/configmaps/child"))
    assert not gone(client, f"{core}/configmaps/owner")


def test_one_living_owner_is_enough(client: Api, core: str) -> None:
    first, second = make(client, core, "first"), make(client, core, "second")
    make(client, core, "child", reference(first), reference(second))
    client.must(client.delete(f"{core}/configmaps/first"))

    def owners() -> list[str]:
        metadata = client.must(client.get(f"{core}/configmaps/child"))["metadata"]
        return [each["name"] for each in metadata["ownerReferences"]]

    eventually(lambda: owners() == ["second"])


def test_orphans_stay(client: Api, core: str) -> None:
    owner = make(client, core, "owner")
    make(client, core, "child", reference(owner))
    client.must(client.delete(f"{core}/configmaps/owner", {"propagationPolicy": "Orphan"}))
    eventually(lambda: gone(client, f"{core}/configmaps/owner"))
    child = client.must(client.get(f"{core}/configmaps/child"))
    assert "ownerReferences" not in child["metadata"]


def test_foreground_owner_goes_last(client: Api, core: str) -> None:
    owner = make(client, core, "owner")
    blocking = reference(owner, blockOwnerDeletion=True)
    make(client, core, "child", blocking, finalizers=["contract.example.com/hold"])
    client.must(client.delete(f"{core}/configmaps/owner", {"propagationPolicy": "Foreground"}))
    child = f"{core}/configmaps/child"
    eventually(lambda: "deletionTimestamp" in client.get(child).body["metadata"])
    assert client.get(f"{core}/configmaps/owner").code == 200
    client.must(client.patch(child, {"metadata": {"finalizers": None}}))
    eventually(lambda: gone(client, f"{core}/configmaps/owner"))


def test_namespace_goes_with_all_that_is_in_it(
    client: Api, core: str, widget_path: str, namespace: str
) -> None:
    make(client, core, "a")
    client.must(client.create(widget_path, widget("w")))
    held = make(client, core, "held", finalizers=["contract.example.com/hold"])
    path = f"/api/v1/namespaces/{namespace}"
    client.must(client.delete(path))
    eventually(lambda: gone(client, f"{widget_path}/w"))
    eventually(lambda: gone(client, f"{core}/configmaps/a"))
    assert client.get(path).code == 200
    client.must(client.patch(f"{core}/configmaps/held", {"metadata": {"finalizers": None}}))
    eventually(lambda: gone(client, path))
    assert held["metadata"]["name"] == "held"
