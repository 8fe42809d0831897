"""Server-side apply: who owns what, and what happens to fields that are given up."""

from __future__ import annotations

from typing import Any

import pytest
from rest import APPLY, STRATEGIC, Answer, Api
from widgets import GROUP


def config_map(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def widget(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": "a"},
        "spec": spec,
    }


def apply(client: Api, path: str, body: Any, manager: str = "one", **query: str) -> Answer:
    named = {"fieldManager": manager} if manager else {}
    return client.patch(path, body, APPLY, **named, **query)


def owners(obj: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """The fields by (manager, operation)."""
    return {
        (entry["manager"], entry["operation"]): entry["fieldsV1"]
        for entry in obj["metadata"]["managedFields"]
    }


@pytest.fixture
def path(core: str) -> str:
    return f"{core}/configmaps/a"


def test_apply_creates(client: Api, path: str) -> None:
    answer = apply(client, path, config_map(x="1"))
    assert answer.code == 201
    assert owners(answer.body) == {("one", "Apply"): {"f:data": {"f:x": {}}}}
    assert apply(client, path, config_map(x="1")).code == 200


def test_same_apply_changes_nothing(client: Api, path: str) -> None:
    first = client.must(apply(client, path, config_map(x="1")))
    again = client.must(apply(client, path, config_map(x="1")))
    assert again == first


def test_fields_that_are_left_out_go(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1", y="2")))
    assert apply(client, path, config_map(x="1")).body["data"] == {"x": "1"}


def test_fields_of_others_stay(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1")))
    client.must(apply(client, path, config_map(y="2"), "two"))
    assert apply(client, path, config_map()).body["data"] == {"y": "2"}


def test_shared_field_stays_until_nobody_wants_it(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1")))
    client.must(apply(client, path, config_map(x="1"), "two"))
    assert apply(client, path, config_map()).body["data"] == {"x": "1"}
    assert "data" not in apply(client, path, config_map(), "two").body


def test_another_value_conflicts(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1")))
    answer = apply(client, path, config_map(x="2"), "two")
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "one": .data.x'
    assert answer.causes == [(".data.x", "FieldManagerConflict")]
    assert client.get(path).body["data"] == {"x": "1"}


def test_several_conflicts_are_listed(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1", y="1")))
    answer = apply(client, path, config_map(x="2", y="2"), "two")
    assert answer.message == (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y'
    )


def test_force_takes_the_field(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1", y="1")))
    taken = client.must(apply(client, path, config_map(x="2"), "two", force="true"))
    assert taken["data"] == {"x": "2", "y": "1"}
    assert owners(taken) == {
        ("one", "Apply"): {"f:data": {"f:y": {}}},
        ("two", "Apply"): {"f:data": {"f:x": {}}},
    }


def test_update_takes_the_field_from_who_applied_it(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1", y="1")))
    changed = client.must(client.patch(path, {"data": {"x": "9"}}, fieldManager="editor"))
    assert owners(changed) == {
        ("one", "Apply"): {"f:data": {"f:y": {}}},
        ("editor", "Update"): {"f:data": {"f:x": {}}},
    }
    answer = apply(client, path, config_map(x="1", y="1"))
    assert answer.message == (
        'Apply failed with 1 conflict: conflict with "editor" using v1: .data.x'
    )


def test_manager_of_an_update_is_named_by_its_agent(client: Api, path: str, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", config_map(x="1")))
    entry = made["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"]) == ("contract", "Update")
    assert entry["fieldsType"] == "FieldsV1"


@pytest.mark.parametrize(
    ("body", "manager", "query", "code"),
    [
        (config_map(), "", {}, 422),
        ({"metadata": {"name": "a"}}, "one", {}, 400),
        ({**config_map(), "metadata": {"name": "b"}}, "one", {}, 400),
        (
            {**config_map(), "metadata": {"name": "a", "managedFields": [{"manager": "x"}]}},
            "one",
            {},
            400,
        ),
        ({**config_map(), "extra": 1}, "one", {}, 500),
    ],
)
def test_refused_applies(
    client: Api, path: str, body: Any, manager: str, query: dict[str, str], code: int
) -> None:
    assert apply(client, path, body, manager, **query).code == code


def test_only_applies_can_be_forced(client: Api, path: str, core: str) -> None:
    client.must(client.create(f"{core}/configmaps", config_map()))
    answer = client.patch(path, config_map(), force="true")
    assert (answer.code, answer.causes) == (422, [("force", "FieldValueForbidden")])


def test_stale_version_conflicts(client: Api, path: str) -> None:
    first = client.must(apply(client, path, config_map(x="1")))
    client.must(client.patch(path, {"data": {"z": "1"}}))
    body = config_map(x="2")
    body["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"]
    assert apply(client, path, body).code == 409


def test_items_of_lists_are_owned_apart(client: Api, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/a"
    containers = [{"name": "c", "image": "one"}, {"name": "d", "image": "two"}]
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    client.must(apply(client, path, body))
    extra = {"containers": [{"name": "e", "image": "three"}]}
    patch = {"spec": {"template": {"spec": extra}}}
    client.must(client.patch(path, patch, STRATEGIC, fieldManager="sidecar"))
    del containers[1]
    left = client.must(apply(client, path, body))["spec"]["template"]["spec"]["containers"]
    assert {each["name"] for each in left} == {"c", "e"}


def test_scale_takes_replicas(client: Api, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/a"
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    spec = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": spec,
    }
    client.must(apply(client, path, body))
    resized = {"spec": {"replicas": 5}}
    client.must(client.patch(f"{path}/scale", resized, fieldManager="scaler"))
    answer = apply(client, path, body)
    assert answer.causes == [(".spec.replicas", "FieldManagerConflict")]
    del spec["replicas"]
    assert client.must(apply(client, path, body))["spec"]["replicas"] == 5


def test_custom_resources_by_their_list_types(client: Api, widget_path: str) -> None:
    path = f"{widget_path}/a"
    first = widget(size=1, parts=[{"id": "a", "count": 1}, {"id": "b"}], unique=["x"])
    made = client.must(apply(client, path, first))
    assert owners(made)["one", "Apply"] == {
        "f:spec": {
            "f:size": {},
            "f:parts": {
                'k:{"id":"a"}': {".": {}, "f:id": {}, "f:count": {}},
                'k:{"id":"b"}': {".": {}, "f:id": {}},
            },
            "f:unique": {'v:"x"': {}},
        }
    }
    second = widget(size=1, parts=[{"id": "c"}], unique=["y"])
    both = client.must(apply(client, path, second, "two"))["spec"]
    assert [part["id"] for part in both["parts"]] == ["a", "b", "c"]
    assert both["unique"] == ["x", "y"]
    left = client.must(apply(client, path, widget(size=1, parts=[{"id": "b"}])))["spec"]
    assert left["parts"] == [{"id": "b"}, {"id": "c"}]
    assert left["unique"] == ["y"]


def test_defaults_are_nobodys(client: Api, widget_path: str) -> None:
    made = client.must(apply(client, f"{widget_path}/a", widget(size=1)))
    assert made["spec"]["color"] == "red"
    assert owners(made)["one", "Apply"] == {"f:spec": {"f:size": {}}}
    answer = apply(client, f"{widget_path}/a", widget(size=1, color="green"), "two")
    assert answer.code == 200


def test_status_is_applied_apart(client: Api, widget_path: str) -> None:
    client.must(apply(client, f"{widget_path}/a", widget(size=1)))
    body = {**widget(size=7), "status": {"ready": True}}
    answer = client.must(apply(client, f"{widget_path}/a/status", body, "reporter"))
    assert (answer["spec"]["size"], answer["status"]) == (1, {"ready": True})
    entry = next(
        each for each in answer["metadata"]["managedFields"] if each["manager"] == "reporter"
    )
    assert entry["subresource"] == "status"


def test_ownership_can_be_forgotten(client: Api, path: str) -> None:
    client.must(apply(client, path, config_map(x="1")))
    client.must(client.patch(path, {"metadata": {"managedFields": [{}]}}))
    assert "managedFields" not in client.get(path).body["metadata"]
    answer = apply(client, path, config_map(x="2"), "two")
    assert answer.message == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x'
    )


def test_parents_that_an_update_makes_are_its_own(client: Api, core: str) -> None:
    metadata = {"name": "b", "labels": {"x": "1"}, "finalizers": ["x.io/f"]}
    made = client.must(
        client.create(f"{core}/configmaps", {"metadata": metadata, "data": {"y": ""}})
    )
    assert owners(made)["contract", "Update"] == {
        "f:data": {".": {}, "f:y": {}},
        "f:metadata": {
            "f:finalizers": {".": {}, 'v:"x.io/f"': {}},
            "f:labels": {".": {}, "f:x": {}},
        },
    }
    client.must(client.patch(f"{core}/configmaps/b", {"metadata": {"finalizers": None}}))


def test_what_every_object_has_is_nobodys(client: Api, core: str) -> None:
    pod = {"metadata": {"name": "b"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    made = client.must(client.create(f"{core}/pods", pod))
    spec = owners(made)["contract", "Update"]["f:spec"]
    assert "." not in spec["f:containers"]
    assert not {"f:priority", "f:tolerations"} & spec.keys()


def test_nulls_are_applied_as_they_are(client: Api, path: str) -> None:
    made = client.must(apply(client, path, config_map() | {"data": None}))
    assert owners(made) == {("one", "Apply"): {"f:data": {}}}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"data": "x"}, ".data: expected map, got &{x}"),
        (
            {"data": {"x": 1}},
            ".data.x: expected string, got &value.valueUnstructured{Value:1}",
        ),
        ({"immutable": 1}, ".immutable: expected boolean, got &{1}"),
        (
            {"metadata": {"name": "a", "finalizers": ["x.io/a", "x.io/a"]}},
            '.metadata.finalizers: duplicate entries for key [="x.io/a"]',
        ),
        (
            {"metadata": {"name": "a", "ownerReferences": [None]}},
            ".metadata.ownerReferences: element 0: "
            "associative list with keys may not have a null element",
        ),
    ],
)
def test_values_without_a_type(
    client: Api, path: str, changed: dict[str, Any], problem: str
) -> None:
    answer = apply(client, path, config_map() | changed)
    told = "failed to create typed patch object (/a; /v1, Kind=ConfigMap): "
    assert (answer.code, answer.message) == (500, told + problem)


def test_a_configuration_needs_a_name(client: Api, path: str) -> None:
    answer = apply(client, path, {"apiVersion": "v1", "kind": "ConfigMap"})
    assert (answer.code, answer.message) == (
        400,
        "the name of the object (a based on URL) was undeterminable: name must be provided",
    )


def test_conflicts_with_several_managers(client: Api, path: str) -> None:
    for manager in ("two", "one"):
        client.must(apply(client, path, config_map(x="1"), manager))
    assert apply(client, path, config_map(x="2"), "three").message == (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n'
        'conflicts with "two":\n- .data.x'
    )


def test_kubectl_keeps_what_it_last_applied(client: Api, path: str, core: str) -> None:
    key = "kubectl.kubernetes.io/last-applied-configuration"
    metadata = {"name": "a", "annotations": {key: "old"}}
    client.must(client.create(f"{core}/configmaps", {"metadata": metadata}))
    made = client.must(apply(client, path, config_map(x="1"), "kubectl"))
    assert made["metadata"]["annotations"][key] == (
        '{"apiVersion":"v1","data":{"x":"1"},"kind":"ConfigMap","metadata":{"name":"a"}}\n'
    )
    assert client.must(apply(client, path, config_map(x="2"), "x", force="true")) != made
    assert client.get(path).body["metadata"]["annotations"] == made["metadata"]["annotations"]
