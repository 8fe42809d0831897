"""The patches of built-in kinds: JSON, merge and strategic."""

from __future__ import annotations

from typing import Any

import pytest
from rest import JSON_PATCH, MERGE, STRATEGIC, Api

POD = {
    "metadata": {"name": "p", "labels": {"app": "web"}},
    "spec": {
        "containers": [
            {"name": "a", "image": "one", "env": [{"name": "X", "value": "1"}]},
            {"name": "b", "image": "two"},
        ]
    },
}


@pytest.fixture
def config(client: Api, core: str) -> str:
    body = {"metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}}
    client.must(client.create(f"{core}/configmaps", body))
    return f"{core}/configmaps/a"


@pytest.fixture
def deployment(client: Api, namespace: str) -> str:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": POD["spec"]}
    body = {
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    }
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    client.must(client.create(path, body))
    return f"{path}/web"


def containers(obj: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = obj["spec"]["template"]["spec"]["containers"]
    return found


def test_merge_patch_sets_and_removes(client: Api, config: str) -> None:
    answer = client.patch(config, {"data": {"x": None, "z": "3"}})
    assert (answer.code, answer.body["data"]) == (200, {"y": "2", "z": "3"})


def test_merge_patch_replaces_lists(client: Api, deployment: str) -> None:
    containers_patch = [{"name": "c", "image": "three"}]
    body = {"spec": {"template": {"spec": {"containers": containers_patch}}}}
    changed = client.must(client.patch(deployment, body, MERGE))
    assert [each["name"] for each in containers(changed)] == ["c"]


def test_strategic_patch_merges_lists_by_key(client: Api, deployment: str) -> None:
    patch = [{"name": "b", "image": "new"}, {"name": "a", "env": [{"name": "Y", "value": "2"}]}]
    body = {"spec": {"template": {"spec": {"containers": patch}}}}
    changed = client.must(client.patch(deployment, body, STRATEGIC))
    by_name = {each["name"]: each for each in containers(changed)}
    assert by_name["b"]["image"] == "new"
    assert by_name["a"]["image"] == "one"
    assert {each["name"] for each in by_name["a"]["env"]} == {"X", "Y"}


def test_strategic_patch_deletes_items(client: Api, deployment: str) -> None:
    patch = [{"$patch": "delete", "name": "a"}]
    body = {"spec": {"template": {"spec": {"containers": patch}}}}
    changed = client.must(client.patch(deployment, body, STRATEGIC))
    assert [each["name"] for each in containers(changed)] == ["b"]


def test_strategic_patch_replaces_when_told(client: Api, deployment: str) -> None:
    patch = [{"$patch": "replace"}, {"name": "z", "image": "last"}]
    body = {"spec": {"template": {"spec": {"containers": patch}}}}
    changed = client.must(client.patch(deployment, body, STRATEGIC))
    assert [each["name"] for each in containers(changed)] == ["z"]


def test_strategic_patch_orders_items(client: Api, deployment: str) -> None:
    body = {
        "spec": {
            "template": {
                "spec": {
                    "$setElementOrder/containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}],
                    "containers": [{"name": "c", "image": "three"}],
                }
            }
        }
    }
    changed = client.must(client.patch(deployment, body, STRATEGIC))
    assert [each["name"] for each in containers(changed)] == ["b", "c", "a"]


def test_strategic_patch_keeps_only_named_keys(client: Api, deployment: str) -> None:
    body = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    changed = client.must(client.patch(deployment, body, STRATEGIC))
    assert changed["spec"]["strategy"] == {"type": "Recreate"}


def test_strategic_patch_of_a_set(client: Api, config: str) -> None:
    client.must(client.patch(config, {"metadata": {"finalizers": ["a.io/x", "a.io/y"]}}))
    body = {
        "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["a.io/x"],
            "finalizers": ["a.io/z"],
        }
    }
    changed = client.must(client.patch(config, body, STRATEGIC))
    assert sorted(changed["metadata"]["finalizers"]) == ["a.io/y", "a.io/z"]
    client.must(client.patch(config, {"metadata": {"finalizers": None}}))


def test_strategic_patch_without_key(client: Api, deployment: str) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}
    answer = client.patch(deployment, body, STRATEGIC)
    assert answer.code in (400, 500)
    assert "does not contain declared merge key: name" in answer.message


def test_json_patch(client: Api, config: str) -> None:
    operations = [
        {"op": "test", "path": "/data/x", "value": "1"},
        {"op": "replace", "path": "/data/x", "value": "9"},
        {"op": "add", "path": "/data/n", "value": "3"},
        {"op": "move", "from": "/data/y", "path": "/data/moved"},
        {"op": "copy", "from": "/data/n", "path": "/data/copied"},
        {"op": "remove", "path": "/data/n"},
        {"op": "add", "path": "/metadata/labels", "value": {}},
        {"op": "add", "path": "/metadata/labels/a.b~1c", "value": "v"},
    ]
    changed = client.must(client.patch(config, operations, JSON_PATCH))
    assert changed["data"] == {"x": "9", "moved": "2", "copied": "3"}
    assert changed["metadata"]["labels"] == {"a.b/c": "v"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/data/x", "value": "other"},
        {"op": "remove", "path": "/data/none"},
        {"op": "replace", "path": "/spec/none", "value": 1},
        {"op": "add", "path": "/none/deep", "value": 1},
    ],
)
def test_json_patch_that_does_not_fit(client: Api, config: str, operation: dict[str, Any]) -> None:
    answer = client.patch(config, [operation], JSON_PATCH)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert client.get(config).body["data"] == {"x": "1", "y": "2"}


def test_body_that_is_no_patch(client: Api, config: str) -> None:
    assert client.patch(config, {"op": "add"}, JSON_PATCH).code == 400
    assert client.patch(config, ["x"], MERGE).code == 400


def test_patch_of_nothing(client: Api, core: str) -> None:
    answer = client.patch(f"{core}/configmaps/none", {"data": {}})
    assert (answer.code, answer.reason) == (404, "NotFound")


def test_patch_with_a_stale_version_conflicts(client: Api, config: str) -> None:
    old = client.get(config).body["metadata"]["resourceVersion"]
    client.must(client.patch(config, {"data": {"x": "2"}}))
    body = {"metadata": {"resourceVersion": old}, "data": {"x": "3"}}
    answer = client.patch(config, body)
    assert (answer.code, answer.reason) == (409, "Conflict")


def test_patch_cannot_rename(client: Api, config: str) -> None:
    answer = client.patch(config, {"metadata": {"name": "b"}})
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert client.get(config).code == 200


def test_patch_with_unknown_fields(client: Api, config: str) -> None:
    answer = client.patch(config, {"extra": 1}, fieldValidation="Strict")
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert 'unknown field "extra"' in answer.message


def test_unknown_kind_of_patch(client: Api, config: str) -> None:
    answer = client.patch(config, {}, "application/json")
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")


def test_patch_of_a_generation(client: Api, deployment: str) -> None:
    assert client.get(deployment).body["metadata"]["generation"] == 1
    labelled = client.must(client.patch(deployment, {"metadata": {"labels": {"a": "b"}}}))
    assert labelled["metadata"]["generation"] == 1
    scaled = client.must(client.patch(deployment, {"spec": {"replicas": 5}}))
    assert scaled["metadata"]["generation"] == 2
