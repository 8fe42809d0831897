"""Small things that clients see: who goes with whom, what is counted, what a name may be."""

from __future__ import annotations

from typing import Any

import pytest
from rest import JSON_PATCH, STRATEGIC, TABLE, Api
from widgets import widget

TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
SELECTOR = {"matchLabels": {"a": "b"}}


@pytest.fixture
def apps(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}"


@pytest.fixture
def config(client: Api, core: str) -> str:
    client.must(client.create(f"{core}/configmaps", {"metadata": {"name": "a"}}))
    return f"{core}/configmaps/a"


def test_jobs_orphan_their_pods_by_default(client: Api, namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    pod = {**TEMPLATE["spec"], "restartPolicy": "Never"}
    made = client.must(
        client.create(path, {"metadata": {"name": "a"}, "spec": {"template": {"spec": pod}}})
    )
    assert made["metadata"]["labels"]["job-name"] == "a"
    gone = client.delete(f"{path}/a")
    assert gone.body["metadata"]["finalizers"] == ["orphan"]
    assert "child pods are preserved by default" in gone.headers["Warning"]


def test_templates_of_a_daemon_set_are_counted(client: Api, apps: str) -> None:
    spec = {"selector": SELECTOR, "template": TEMPLATE}
    client.must(client.create(f"{apps}/daemonsets", {"metadata": {"name": "a"}, "spec": spec}))
    image = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "j"}]}}}}
    changed = client.must(client.patch(f"{apps}/daemonsets/a", image, STRATEGIC))
    annotations = changed["metadata"]["annotations"]
    assert annotations == {"deprecated.daemonset.template.generation": "2"}


def test_a_stateful_set_keeps_its_service(client: Api, apps: str) -> None:
    spec = {"selector": SELECTOR, "template": TEMPLATE, "serviceName": "s"}
    made = client.must(
        client.create(f"{apps}/statefulsets", {"metadata": {"name": "a"}, "spec": spec})
    )
    kept = made["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert kept == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    answer = client.patch(f"{apps}/statefulsets/a", {"spec": {"serviceName": "t"}})
    assert answer.causes == [("spec", "FieldValueForbidden")]


def test_labels_of_a_deployment_are_not_part_of_its_status(client: Api, apps: str) -> None:
    spec = {"selector": SELECTOR, "template": TEMPLATE}
    client.must(client.create(f"{apps}/deployments", {"metadata": {"name": "a"}, "spec": spec}))
    metadata = {"labels": {"x": "1"}, "annotations": {"y": "1"}}
    changed = client.must(client.patch(f"{apps}/deployments/a/status", {"metadata": metadata}))
    assert "labels" not in changed["metadata"]
    assert changed["metadata"]["annotations"] == {"y": "1"}


def test_headless_services_without_a_selector_have_both_families(client: Api, core: str) -> None:
    spec = {"clusterIP": "None", "ports": [{"port": 1}]}
    made = client.must(client.create(f"{core}/services", {"metadata": {"name": "a"}, "spec": spec}))
    assert made["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    assert made["spec"]["ipFamilyPolicy"] == "RequireDualStack"
    cleared = client.must(client.patch(f"{core}/services/a", {"spec": {"clusterIP": None}}))
    assert cleared["spec"]["clusterIP"] == "None"


def test_events_happen_in_the_namespace_of_their_object(client: Api, core: str) -> None:
    event: dict[str, Any] = {"metadata": {"name": "a"}, "involvedObject": {"name": "x"}}
    answer = client.create(f"{core}/events", event)
    assert answer.causes == [("involvedObject.namespace", "FieldValueInvalid")]
    event["involvedObject"]["namespace"] = core.rpartition("/")[2]
    made = client.must(client.create(f"{core}/events", event))
    assert made["firstTimestamp"] is None


def test_tables_of_roles_and_bindings(client: Api, namespace: str) -> None:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": "a", "namespace": "b"}
    binding = {
        "metadata": {"name": "x"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "r"},
        "subjects": [subject],
    }
    client.must(client.create(f"{path}/rolebindings", binding))
    client.must(client.put(f"{path}/roles/r", {"metadata": {"name": "r"}}), 201)
    roles = client.must(client.get(f"{path}/roles", accept=TABLE))
    assert [column["name"] for column in roles["columnDefinitions"]] == ["Name", "Created At"]
    bindings = client.must(client.get(f"{path}/rolebindings", accept=TABLE))
    cells = bindings["rows"][0]["cells"]
    assert [*cells[:2], *cells[3:]] == ["x", "Role/r", "", "", "b/a"]


def test_an_update_of_what_is_not_there_makes_no_namesake(client: Api, core: str) -> None:
    spec = {"clusterIP": "None", "ports": [{"port": 1}]}
    other = {"name": "a", "uid": "00000000-0000-0000-0000-000000000001"}
    answer = client.put(f"{core}/services/a", {"metadata": other, "spec": spec})
    assert (answer.code, answer.reason) == (409, "Conflict")


def test_a_name_that_is_going_is_still_taken(client: Api, core: str) -> None:
    held = {"metadata": {"name": "b", "finalizers": ["x.io/f"]}}
    client.must(client.create(f"{core}/configmaps", held))
    client.must(client.delete(f"{core}/configmaps/b"))
    told = client.create(f"{core}/configmaps", held).message
    assert told == 'object is being deleted: configmaps "b" already exists'
    client.must(client.patch(f"{core}/configmaps/b", {"metadata": {"finalizers": None}}))


@pytest.mark.parametrize(
    ("metadata", "fields"),
    [
        ({}, {"metadata.name"}),
        ({"generateName": "Bad-"}, {"metadata.name", "metadata.generateName"}),
        ({"name": "b", "finalizers": ["a.b"]}, {"metadata.finalizers[0]"}),
        (
            {"name": "b", "ownerReferences": [{"apiVersion": "v1", "kind": "Event"}]},
            {"metadata.ownerReferences", "metadata.ownerReferences.name",
             "metadata.ownerReferences.uid"},
        ),
    ],
)  # fmt: skip
def test_metadata(client: Api, core: str, metadata: dict[str, Any], fields: set[str]) -> None:
    answer = client.create(f"{core}/configmaps", {"metadata": metadata})
    assert answer.code == 422
    assert {field for field, _ in answer.causes} == fields


@pytest.mark.parametrize(
    ("revision", "code"), [("0", 200), ("999999", 409), ("x", 500)]
)  # fmt: skip
def test_revisions_of_an_update(client: Api, config: str, revision: str, code: int) -> None:
    body = {"metadata": {"name": "a", "resourceVersion": revision}}
    assert client.put(config, body).code == code


def test_a_patch_names_the_same_object(client: Api, config: str) -> None:
    uid = {"metadata": {"uid": "00000000-0000-0000-0000-000000000001"}}
    answer = client.patch(config, uid)
    assert (answer.code, set(answer.causes)) == (422, {("metadata.uid", "FieldValueInvalid")})
    assert client.patch(config, {"metadata": {"name": None}}).code == 400
    assert client.patch(config, {"kind": "Secret"}).code == 422
    assert client.patch(config, {"kind": "Secret"}, STRATEGIC).code == 200


def test_json_patches_replace_what_is_missing(client: Api, config: str) -> None:
    step = {"op": "replace", "path": "/data", "value": {"x": "1"}}
    assert client.must(client.patch(config, [step], JSON_PATCH))["data"] == {"x": "1"}
    beyond = [{"op": "remove", "path": "/data/x/y"}]
    assert client.patch(config, beyond, JSON_PATCH).code == 422


def test_what_fits_a_lease(client: Api, namespace: str) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    held = {"metadata": {"name": "b", "finalizers": ["plain"]}}  # no domain is needed here
    client.must(client.create(path, held), 201)
    client.must(client.patch(f"{path}/b", {"metadata": {"finalizers": None}}))
    for spec in ({"leaseDurationSeconds": 1 << 31}, {"renewTime": "2026-01-01T00:00:00Z"}):
        assert client.create(path, {"metadata": {"name": "a"}, "spec": spec}).code == 400


def test_warnings_reach_whoever_is_refused(client: Api, core: str) -> None:
    answer = client.create(f"{core}/configmaps", {"metadata": {"name": "B"}, "extra": 1})
    assert answer.code == 422
    assert answer.headers["Warning"] == '299 - "unknown field \\"extra\\""'


def test_items_of_the_wrong_type_are_told_of(client: Api, widget_path: str) -> None:
    answer = client.create(widget_path, widget("a", parts=[{"id": "a"}, []]))
    assert answer.causes == [
        ("spec.parts[1]", "FieldValueInvalid"),
        ("spec.parts[1]", "FieldValueTypeInvalid"),
    ]
