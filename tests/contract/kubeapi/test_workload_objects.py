"""Deployments and their like as objects; what controllers do of them is another test."""

from __future__ import annotations

from typing import Any

import pytest
from rest import Api


def deployment(name: str = "web", labels: dict[str, str] | None = None, **spec: Any) -> Any:
    template = {
        "metadata": {"labels": labels or {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    selector = {"matchLabels": {"app": "web"}}
    return {
        "metadata": {"name": name},
        "spec": {"selector": selector, "template": template, **spec},
    }


@pytest.fixture
def path(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"


def test_defaults(client: Api, path: str) -> None:
    made = client.must(client.create(path, deployment()))
    spec = made["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
    assert made["status"] == {}


@pytest.mark.parametrize(
    ("change", "causes"),
    [
        (
            {"labels": {"app": "other"}},
            [("spec.template.metadata.labels", "FieldValueInvalid")],
        ),
        ({"replicas": -1}, [("spec.replicas", "FieldValueInvalid")]),
        ({"selector": {}}, [("spec.selector", "FieldValueInvalid")]),
        (
            {"selector": None},
            [
                ("spec.selector", "FieldValueRequired"),
                ("spec.template.metadata.labels", "FieldValueInvalid"),
            ],
        ),
    ],
)
def test_refused_deployments(
    client: Api, path: str, change: dict[str, Any], causes: list[tuple[str, str]]
) -> None:
    answer = client.create(path, deployment(**change))
    assert (answer.code, answer.causes) == (422, causes)


def test_selector_is_fixed(client: Api, path: str) -> None:
    client.must(client.create(path, deployment()))
    labels = {"app": "web", "x": "y"}
    body = {
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}},
        }
    }
    answer = client.patch(f"{path}/web", body)
    assert answer.causes == [("spec.selector", "FieldValueInvalid")]
    assert answer.message.endswith("field is immutable")


def test_wrong_type(client: Api, path: str) -> None:
    answer = client.create(path, deployment(replicas="two"))
    assert answer.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
        "string into Go struct field DeploymentSpec.spec.replicas of type int32"
    )


def test_scale(client: Api, path: str, namespace: str) -> None:
    made = client.must(client.create(path, deployment()))
    scale = client.must(client.get(f"{path}/web/scale"))
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["metadata"] == {
        "name": "web",
        "namespace": namespace,
        "uid": made["metadata"]["uid"],
        "resourceVersion": made["metadata"]["resourceVersion"],
        "creationTimestamp": made["metadata"]["creationTimestamp"],
    }
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    changed = client.must(client.put(f"{path}/web/scale", {**scale, "spec": {"replicas": 3}}))
    assert changed["spec"] == {"replicas": 3}
    patched = client.must(client.patch(f"{path}/web/scale", {"spec": {"replicas": 4}}))
    assert patched["spec"] == {"replicas": 4}
    assert client.get(f"{path}/web").body["spec"]["replicas"] == 4


def test_stale_scale_conflicts(client: Api, path: str) -> None:
    client.must(client.create(path, deployment()))
    scale = client.must(client.get(f"{path}/web/scale"))
    client.must(client.patch(f"{path}/web", {"spec": {"replicas": 2}}))
    answer = client.put(f"{path}/web/scale", {**scale, "spec": {"replicas": 3}})
    assert (answer.code, answer.reason) == (409, "Conflict")


def test_negative_scale(client: Api, path: str) -> None:
    client.must(client.create(path, deployment()))
    answer = client.patch(f"{path}/web/scale", {"spec": {"replicas": -1}})
    assert (answer.code, answer.causes) == (422, [("spec.replicas", "FieldValueInvalid")])


def test_status_is_apart(client: Api, path: str) -> None:
    client.must(client.create(path, deployment()))
    status = {"replicas": 1, "observedGeneration": 1}
    changed = client.must(client.patch(f"{path}/web/status", {"status": status}))
    assert changed["status"] == status
    ignored = client.must(client.patch(f"{path}/web", {"status": {"replicas": 9}}))
    assert ignored["status"] == status


def test_annotations_count_as_changes(client: Api, path: str) -> None:
    client.must(client.create(path, deployment()))
    labelled = client.must(client.patch(f"{path}/web", {"metadata": {"labels": {"a": "b"}}}))
    assert labelled["metadata"]["generation"] == 1
    noted = client.must(client.patch(f"{path}/web", {"metadata": {"annotations": {"a": "b"}}}))
    assert noted["metadata"]["generation"] == 2


def test_job_selects_its_own_pods(client: Api, namespace: str) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    body = {"metadata": {"name": "j"}, "spec": {"template": template}}
    made = client.must(client.create(jobs, body))
    uid = made["metadata"]["uid"]
    assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    labels = made["spec"]["template"]["metadata"]["labels"]
    assert labels["batch.kubernetes.io/job-name"] == "j"
    refused = {**template, "spec": {**template["spec"], "restartPolicy": "Always"}}
    answer = client.create(jobs, {"metadata": {"name": "k"}, "spec": {"template": refused}})
    assert answer.causes == [("spec.template.spec.restartPolicy", "FieldValueRequired")] or (
        answer.causes == [("spec.template.spec.restartPolicy", "FieldValueNotSupported")]
    )
