"""Deletion that waits: finalizers, grace periods, policies."""

from __future__ import annotations

from typing import Any

import pytest
from rest import Api

HOLD = "contract.example.com/hold"


def config_map(client: Api, core: str, name: str, **metadata: Any) -> str:
    body = {"metadata": {"name": name, **metadata}}
    client.must(client.create(f"{core}/configmaps", body))
    return f"{core}/configmaps/{name}"


def pod(client: Api, core: str, name: str, node: str = "", **spec: Any) -> str:
    """A pod that is on its node from the start.

    One that was bound a moment ago may be deleted by what kube-apiserver's cache still holds,
    the pod without a node.
    """
    spec = {"containers": [{"name": "c", "image": "i"}], **spec}
    spec |= {"nodeName": node} if node else {}
    client.must(client.create(f"{core}/pods", {"metadata": {"name": name}, "spec": spec}))
    return f"{core}/pods/{name}"


def test_finalizer_holds_the_object(client: Api, core: str) -> None:
    path = config_map(client, core, "a", finalizers=[HOLD])
    answer = client.delete(path)
    assert (answer.code, answer.body["kind"]) == (200, "ConfigMap")
    metadata = client.must(client.get(path))["metadata"]
    assert metadata["deletionTimestamp"]
    assert metadata["deletionGracePeriodSeconds"] == 0
    assert client.delete(path).code == 200
    client.must(client.patch(path, {"metadata": {"finalizers": None}}))
    assert client.get(path).code == 404


def test_finalizers_go_one_by_one(client: Api, core: str) -> None:
    path = config_map(client, core, "a", finalizers=[HOLD, f"{HOLD}2"])
    client.must(client.delete(path))
    client.must(client.patch(path, {"metadata": {"finalizers": [HOLD]}}))
    assert client.get(path).code == 200
    client.must(client.patch(path, {"metadata": {"finalizers": []}}))
    assert client.get(path).code == 404


def test_no_finalizer_comes_after_deletion(client: Api, core: str) -> None:
    path = config_map(client, core, "a", finalizers=[HOLD])
    client.must(client.delete(path))
    answer = client.patch(path, {"metadata": {"finalizers": [HOLD, f"{HOLD}2"]}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert set(answer.causes) == {("metadata.finalizers", "FieldValueForbidden")}
    client.must(client.patch(path, {"metadata": {"finalizers": None}}))


def test_bad_finalizer(client: Api, core: str) -> None:
    body = {"metadata": {"name": "a", "finalizers": ["unqualified"]}}
    answer = client.create(f"{core}/configmaps", body)
    assert answer.causes == [("metadata.finalizers[0]", "FieldValueInvalid")]


def test_deleted_object_can_still_be_written(client: Api, core: str) -> None:
    path = config_map(client, core, "a", finalizers=[HOLD])
    client.must(client.delete(path))
    assert client.patch(path, {"data": {"k": "v"}}).body["data"] == {"k": "v"}
    client.must(client.patch(path, {"metadata": {"finalizers": None}}))


@pytest.mark.parametrize(
    ("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_policies_leave_their_finalizer(
    client: Api, core: str, policy: str, finalizer: str
) -> None:
    path = config_map(client, core, "a", finalizers=[HOLD])
    client.must(client.delete(path, {"propagationPolicy": policy}))
    assert finalizer in client.get(path).body["metadata"]["finalizers"]
    client.must(client.patch(path, {"metadata": {"finalizers": None}}))


def test_last_policy_wins(client: Api, core: str) -> None:
    path = config_map(client, core, "a", finalizers=[HOLD])
    client.must(client.delete(path, {"propagationPolicy": "Foreground"}))
    client.must(client.delete(path, {"propagationPolicy": "Background"}))
    assert client.get(path).body["metadata"]["finalizers"] == [HOLD]
    client.must(client.patch(path, {"metadata": {"finalizers": None}}))


def test_unknown_policy(client: Api, core: str) -> None:
    path = config_map(client, core, "a")
    answer = client.delete(path, {"propagationPolicy": "Sometimes"})
    assert (answer.code, answer.causes) == (
        422,
        [("propagationPolicy", "FieldValueNotSupported")],
    )


def test_pod_without_node_goes_at_once(client: Api, core: str) -> None:
    path = pod(client, core, "p")
    answer = client.delete(path)
    assert (answer.code, answer.body["kind"]) == (200, "Pod")
    assert client.get(path).code == 404


def test_running_pod_is_given_time(client: Api, core: str) -> None:
    path = pod(client, core, "p", "n")
    metadata = client.must(client.delete(path))["metadata"]
    assert metadata["deletionGracePeriodSeconds"] == 30
    assert metadata["deletionTimestamp"] > metadata["creationTimestamp"]
    assert client.get(path).code == 200
    client.must(client.delete(path, {"gracePeriodSeconds": 0}))
    assert client.get(path).code == 404


def test_grace_comes_from_the_pod_or_the_request(client: Api, core: str) -> None:
    own = pod(client, core, "p", "n", terminationGracePeriodSeconds=7)
    assert client.delete(own).body["metadata"]["deletionGracePeriodSeconds"] == 7
    asked = pod(client, core, "q", "n")
    answer = client.delete(asked, {"gracePeriodSeconds": 3})
    assert answer.body["metadata"]["deletionGracePeriodSeconds"] == 3
    by_query = pod(client, core, "r", "n")
    answer = client.delete(by_query, gracePeriodSeconds=4)
    assert answer.body["metadata"]["deletionGracePeriodSeconds"] == 4


def test_grace_can_be_shortened_only(client: Api, core: str) -> None:
    path = pod(client, core, "p", "n")
    first = client.must(client.delete(path, {"gracePeriodSeconds": 10}))["metadata"]
    longer = client.must(client.delete(path, {"gracePeriodSeconds": 20}))["metadata"]
    assert longer["deletionTimestamp"] == first["deletionTimestamp"]
    shorter = client.must(client.delete(path, {"gracePeriodSeconds": 5}))["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 5
    assert shorter["deletionTimestamp"] < first["deletionTimestamp"]


def test_finished_pod_goes_at_once(client: Api, core: str) -> None:
    path = pod(client, core, "p", "n")
    client.must(client.patch(f"{path}/status", {"status": {"phase": "Succeeded"}}))
    client.must(client.delete(path))
    assert client.get(path).code == 404


def test_pod_with_finalizer_and_no_grace_stays(client: Api, core: str) -> None:
    path = pod(client, core, "p", "n")
    client.must(client.patch(path, {"metadata": {"finalizers": [HOLD]}}))
    client.must(client.delete(path, {"gracePeriodSeconds": 0}))
    assert client.get(path).body["metadata"]["deletionGracePeriodSeconds"] == 0
    client.must(client.patch(path, {"metadata": {"finalizers": None}}))
    assert client.get(path).code == 404


def test_finalizer_goes_before_the_kubelet_confirms(client: Api, core: str) -> None:
    path = pod(client, core, "p", "n")
    client.must(client.patch(path, {"metadata": {"finalizers": [HOLD]}}))
    client.must(client.delete(path))
    client.must(client.patch(path, {"metadata": {"finalizers": None}}))
    assert client.get(path).code == 200
    client.must(client.delete(path, {"gracePeriodSeconds": 0}))
    assert client.get(path).code == 404


def test_namespace_waits_for_its_finalizer(client: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    made = client.must(client.get(path))
    assert made["spec"]["finalizers"] == ["kubernetes"]
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": namespace}
    answer = client.must(client.delete(path))
    assert answer["status"]["phase"] == "Terminating"
    refused = client.create(f"{path}/configmaps", {"metadata": {"name": "late"}})
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.causes == [("metadata.namespace", "NamespaceTerminating")]
    assert refused.message == (
        f'configmaps "late" is forbidden: unable to create new content in namespace {namespace} '
        "because it is being terminated"
    )
    body = {**client.get(path).body, "spec": {"finalizers": []}}
    client.must(client.put(f"{path}/finalize", body))
    assert client.get(path).code == 404
