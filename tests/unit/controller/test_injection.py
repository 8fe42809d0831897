"""Pods that get networks by an annotation."""

import base64
import json
from typing import Any

import pytest

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.admission.injection import NETWORK_INJECT, RDMA_INJECT, inject
from spiderpool.controller.admission.review import mutate
from spiderpool.controller.webhook.registration import Endpoint, configurations
from spiderpool.errors import BadInput

NETWORKS = "k8s.v1.cni.cncf.io/networks"


def network(name: str, master: str, resource: str = "", **annotations: str) -> dict[str, Any]:
    block = {"master": [master], "rdmaResourceName": resource}
    metadata = {"name": name, "namespace": "nets", "annotations": annotations}
    return {"metadata": metadata, "spec": {"cniType": "macvlan", "macvlan": block}}


def pod(**annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"generateName": "p-", "namespace": "default", "annotations": annotations},
        "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
    }


PLAIN_NAMESPACE: dict[str, Any] = {"metadata": {"name": "default"}}
GPUS = [
    network("second", "eth2", "rdma/x", **{RDMA_INJECT: "gpu"}),
    network("first", "eth1", "rdma/x", **{RDMA_INJECT: "gpu"}),
    network("other", "eth0", "rdma/y", **{RDMA_INJECT: "no"}),
]


def test_networks_of_the_value_in_the_order_of_their_devices() -> None:
    injected = inject(pod(**{RDMA_INJECT: "gpu"}), GPUS, PLAIN_NAMESPACE)
    assert injected["metadata"]["annotations"][NETWORKS] == "nets/first,nets/second"
    first, second = injected["spec"]["containers"]
    assert first["resources"] == {"limits": {"rdma/x": "2"}}
    assert "resources" not in second


def test_a_namespace_selects_for_its_pods_and_a_pod_for_itself() -> None:
    namespace = {"metadata": {"name": "default", "annotations": {RDMA_INJECT: "no"}}}
    assert inject(pod(), GPUS, namespace)["metadata"]["annotations"][NETWORKS] == "nets/other"
    own = inject(pod(**{RDMA_INJECT: "gpu"}), GPUS, namespace)
    assert own["metadata"]["annotations"][NETWORKS] == "nets/first,nets/second"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mine@net1, nets/first", "mine@net1,nets/first,nets/second"),
        (
            '[{"name":"mine"}]',
            '[{"name": "mine"}, {"namespace": "nets", "name": "first"}, '
            '{"namespace": "nets", "name": "second"}]',
        ),
    ],
)
def test_networks_of_the_pods_own_stay(before: str, after: str) -> None:
    injected = inject(pod(**{RDMA_INJECT: "gpu", NETWORKS: before}), GPUS, PLAIN_NAMESPACE)
    assert injected["metadata"]["annotations"][NETWORKS] == after


def test_what_the_pod_says_of_resources_counts() -> None:
    asking = pod(**{RDMA_INJECT: "gpu"})
    asking["spec"]["containers"][0]["resources"] = {"limits": {"rdma/x": "1", "cpu": "1"}}
    injected = inject(asking, GPUS, PLAIN_NAMESPACE)
    assert injected["spec"] == asking["spec"]


def test_the_attachment_is_named_and_needs_no_resource() -> None:
    renamed = network(
        "n", "eth0", **{NETWORK_INJECT: "x", "multus.spidernet.io/cr-name": "attachment"}
    )
    injected = inject(pod(**{NETWORK_INJECT: "x"}), [renamed], PLAIN_NAMESPACE)
    assert injected["metadata"]["annotations"][NETWORKS] == "nets/attachment"
    assert injected["spec"] == pod()["spec"]


def test_a_pod_that_asks_for_nothing_stays_as_it_is() -> None:
    assert inject(pod(), GPUS, PLAIN_NAMESPACE) == pod()


def test_a_value_that_no_network_has() -> None:
    with pytest.raises(BadInput, match=f"no SpiderMultusConfig has the annotation {RDMA_INJECT}"):
        inject(pod(**{RDMA_INJECT: "typo"}), GPUS, PLAIN_NAMESPACE)


def test_networks_that_cannot_be_read() -> None:
    asking = pod(**{RDMA_INJECT: "gpu", NETWORKS: "[x"})
    with pytest.raises(BadInput, match="not JSON"):
        inject(asking, GPUS, PLAIN_NAMESPACE)


def review(obj: dict[str, Any]) -> dict[str, Any]:
    asked = {
        "uid": "u",
        "kind": {"group": "", "kind": "Pod"},
        "resource": {"resource": "pods"},
        "namespace": "default",
        "object": obj,
    }
    answer: dict[str, Any] = mutate({"request": asked}, Cluster(networks=tuple(GPUS)))["response"]
    return answer


def test_the_webhook_patches_or_refuses() -> None:
    patch = json.loads(base64.b64decode(review(pod(**{RDMA_INJECT: "gpu"}))["patch"]))
    assert [operation["path"] for operation in patch] == ["/metadata", "/spec"]
    assert "patch" not in review(pod())
    refused = review(pod(**{RDMA_INJECT: "typo"}))
    assert not refused["allowed"]
    assert refused["status"]["message"].startswith('Pod "" is invalid: metadata.annotations')


def test_pods_are_asked_about_only_when_that_is_on() -> None:
    def hooks(inject_networks: bool) -> list[dict[str, Any]]:
        endpoint = Endpoint("https://h:1")
        wanted = configurations(
            endpoint, b"", guard_deletion=False, inject_networks=inject_networks
        )
        found: list[dict[str, Any]] = wanted[0][1]["webhooks"]
        return found

    assert len(hooks(False)) == 1
    pods = hooks(True)[1]
    assert pods["failurePolicy"] == "Fail"
    excluded = pods["namespaceSelector"]["matchExpressions"][0]
    assert "kube-system" in excluded["values"]


def test_a_pod_without_containers_is_left_for_the_api_server_to_refuse() -> None:
    bare = pod(**{RDMA_INJECT: "gpu"}) | {"spec": {}}
    assert inject(bare, GPUS, PLAIN_NAMESPACE)["spec"] == {}


def test_a_networks_annotation_that_nobody_can_read_is_named() -> None:
    with pytest.raises(BadInput, match=r"^metadata\.annotations\['k8s.*not JSON at line 1"):
        inject(pod(**{RDMA_INJECT: "gpu", NETWORKS: "[" * 5000}), GPUS, PLAIN_NAMESPACE)
