"""Pods: binding, what may change, defaults."""

from __future__ import annotations

from typing import Any

import pytest
from rest import STRATEGIC, Api


def body(name: str = "p", /, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]
    return {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def binding(name: str, node: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }


def test_defaults(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/pods", body()))
    spec = made["spec"]
    assert spec["restartPolicy"] == "Always"
    assert spec["dnsPolicy"] == "ClusterFirst"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["schedulerName"] == "default-scheduler"
    assert spec["containers"][0]["imagePullPolicy"] == "Always"
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1.2", "IfNotPresent"),
    ],
)
def test_pull_policy_follows_the_tag(client: Api, core: str, image: str, policy: str) -> None:
    spec = {"containers": [{"name": "c", "image": image}]}
    made = client.must(client.create(f"{core}/pods", body(**spec), dryRun="All"))
    assert made["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_binding_places_a_pod(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/pods", body()))
    answer = client.create(f"{core}/pods/p/binding", binding("p", "n1"))
    assert (answer.code, answer.body["status"]) == (201, "Success")
    pod = client.must(client.get(f"{core}/pods/p"))
    assert pod["spec"]["nodeName"] == "n1"
    conditions = {each["type"]: each["status"] for each in pod["status"]["conditions"]}
    assert conditions["PodScheduled"] == "True"


def test_second_binding_conflicts(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/pods", body()))
    client.must(client.create(f"{core}/pods/p/binding", binding("p", "n1")))
    answer = client.create(f"{core}/pods/p/binding", binding("p", "n2"))
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert 'pod p is already assigned to node "n1"' in answer.message


def test_binding_by_its_own_collection(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/pods", body()))
    client.must(client.create(f"{core}/bindings", binding("p", "n1")))
    assert client.get(f"{core}/pods/p").body["spec"]["nodeName"] == "n1"


def test_binding_of_nothing(client: Api, core: str) -> None:
    answer = client.create(f"{core}/pods/none/binding", binding("none", "n1"))
    assert (answer.code, answer.reason) == (404, "NotFound")


def test_pods_of_a_node_and_of_a_phase(client: Api, core: str) -> None:
    for name in ("a", "b"):
        client.must(client.create(f"{core}/pods", body(name)))
    client.must(client.create(f"{core}/pods/a/binding", binding("a", "n1")))
    client.must(client.patch(f"{core}/pods/a/status", {"status": {"phase": "Running"}}))

    def selected(fields: str) -> list[str]:
        found = client.must(client.get(f"{core}/pods", fieldSelector=fields))["items"]
        return [pod["metadata"]["name"] for pod in found]

    assert selected("spec.nodeName=n1") == ["a"]
    assert selected("spec.nodeName=") == ["b"]
    assert selected("status.phase!=Running") == ["b"]
    assert selected("spec.nodeName=n1,status.phase=Running") == ["a"]


def test_status_patch_merges_conditions(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/pods", body()))
    path = f"{core}/pods/p/status"
    first = {"status": {"conditions": [{"type": "A", "status": "True"}], "podIP": "10.0.0.1"}}
    client.must(client.patch(path, first, STRATEGIC))
    second = {"status": {"conditions": [{"type": "B", "status": "False"}]}}
    status = client.must(client.patch(path, second, STRATEGIC))["status"]
    assert {"A", "B"} <= {each["type"] for each in status["conditions"]}
    assert status["podIP"] == "10.0.0.1"


def test_annotations_can_be_written_with_the_status(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/pods", body()))
    annotation = {"k8s.v1.cni.cncf.io/network-status": "[]"}
    changed = client.patch(f"{core}/pods/p/status", {"metadata": {"annotations": annotation}})
    assert changed.body["metadata"]["annotations"] == annotation


@pytest.mark.parametrize(
    "change",
    [
        {"nodeName": "n"},
        {"hostNetwork": True},
        {"containers": [{"name": "c", "env": [{"name": "X", "value": "1"}]}]},
        {"nodeSelector": {"a": "b"}},
    ],
)
def test_spec_is_fixed(client: Api, core: str, change: dict[str, Any]) -> None:
    client.must(client.create(f"{core}/pods", body()))
    answer = client.patch(f"{core}/pods/p", {"spec": change}, STRATEGIC)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes[0][0].startswith("spec")


def test_image_may_change(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/pods", body()))
    change = {"spec": {"containers": [{"name": "c", "image": "new"}]}}
    changed = client.must(client.patch(f"{core}/pods/p", change, STRATEGIC))
    assert changed["spec"]["containers"][0]["image"] == "new"


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"containers": []}, [("spec.containers", "FieldValueRequired")]),
        (
            {"containers": [{"name": "A", "image": "x"}]},
            [("spec.containers[0].name", "FieldValueInvalid")],
        ),
        (
            {"containers": [{"name": "a"}]},
            [("spec.containers[0].image", "FieldValueRequired")],
        ),
        (
            {"containers": [{"name": "a", "image": "x"}, {"name": "a", "image": "y"}]},
            [("spec.containers[1].name", "FieldValueDuplicate")],
        ),
        (
            {
                "containers": [
                    {"name": "a", "image": "x", "ports": [{"containerPort": 70000}]},
                ]
            },
            [("spec.containers[0].ports[0].containerPort", "FieldValueInvalid")],
        ),
        (
            {
                "containers": [
                    {
                        "name": "a",
                        "image": "x",
                        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                    },
                ]
            },
            [("spec.containers[0].volumeMounts[0].name", "FieldValueNotFound")],
        ),
        ({"restartPolicy": "Rarely"}, [("spec.restartPolicy", "FieldValueNotSupported")]),
    ],
)
def test_refused_pods(
    client: Api, core: str, spec: dict[str, Any], causes: list[tuple[str, str]]
) -> None:
    answer = client.create(f"{core}/pods", body(**spec))
    assert (answer.code, answer.causes) == (422, causes)


def test_wrong_types_are_named_with_their_path(client: Api, core: str) -> None:
    answer = client.create(f"{core}/pods", body(hostNetwork="yes"))
    assert (answer.code, answer.message) == (
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go '
        "struct field PodSpec.spec.hostNetwork of type bool",
    )


def test_eviction_deletes(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/pods", body()))
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
    answer = client.create(f"{core}/pods/p/eviction", eviction)
    assert (answer.code, answer.body["status"]) == (201, "Success")
    assert client.get(f"{core}/pods/p").code == 404
