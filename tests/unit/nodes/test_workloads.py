"""Workload controllers: what they decide, and Deployment -> ReplicaSet -> Pods on a fake API."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.nodes.deployments import (
    Deployments,
    ReplicaSets,
    deployment_status,
    sizes,
    template_hash,
)
from harness.nodes.endpoints import endpoints_of, slice_of, target_port
from harness.nodes.scheduler import choose
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import DEPLOYMENT, POD, REPLICASET
from spiderpool.testing.kube import FakeClient

READY = [{"type": "Ready", "status": "True"}]


def a_node(name: str, ready: bool = True, **labels: str) -> dict[str, Any]:
    status = {"conditions": READY if ready else []}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status}


def a_pod(name: str, node: str = "", owner: str = "", **status: Any) -> dict[str, Any]:
    references = [{"uid": owner, "controller": True, "name": owner}] if owner else []
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "labels": {"app": "web"},
            "ownerReferences": references,
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}],
        },
        "status": status,
    }


def a_deployment(replicas: int = 2) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "nginx", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx"}]},
            },
        },
    }


def test_scheduler_spreads_the_pods_of_one_owner_then_all_pods() -> None:
    nodes = [a_node("worker01"), a_node("controller"), a_node("lost", ready=False)]
    assert choose(a_pod("a", owner="rs"), nodes, []) == "controller"
    placed = [a_pod("a", "controller", "rs")]
    assert choose(a_pod("b", owner="rs"), nodes, placed) == "worker01"
    assert choose(a_pod("c", owner="other"), nodes, placed) == "worker01"


def test_scheduler_honours_node_selectors_and_waits_without_a_fitting_node() -> None:
    nodes = [a_node("controller"), a_node("worker01", zone="b")]
    pod = a_pod("a")
    pod["spec"]["nodeSelector"] = {"zone": "b"}
    assert choose(pod, nodes, []) == "worker01"
    pod["spec"]["nodeSelector"] = {"zone": "c"}
    assert choose(pod, nodes, []) is None


def test_template_hash_changes_with_the_template_only() -> None:
    template = a_deployment()["spec"]["template"]
    reordered = dict(reversed(template.items()))
    assert template_hash(template) == template_hash(reordered)
    assert template_hash(template) != template_hash(template | {"spec": {}})


def test_old_replicasets_are_emptied_only_when_the_new_one_is_ready() -> None:
    new = {"metadata": {"uid": "new"}, "status": {"replicas": 2, "readyReplicas": 1}}
    old = {"metadata": {"uid": "old"}, "status": {"replicas": 2, "readyReplicas": 2}}
    assert sizes(a_deployment(), new, [new, old]) == [(new, 2)]
    new["status"]["readyReplicas"] = 2  # type: ignore[index]
    assert sizes(a_deployment(), new, [new, old]) == [(new, 2), (old, 0)]


def test_a_deployment_is_available_when_all_replicas_are_ready() -> None:
    replicaset = {"status": {"replicas": 2, "readyReplicas": 1}}
    states = {
        c["type"]: c["status"]
        for c in deployment_status(a_deployment(), replicaset, [replicaset])["conditions"]
    }
    assert states["Available"] == "False"
    replicaset["status"]["readyReplicas"] = 2
    states = {
        c["type"]: c["status"]
        for c in deployment_status(a_deployment(), replicaset, [replicaset])["conditions"]
    }
    assert states["Available"] == "True"


def test_a_deployment_becomes_a_replicaset_and_pods_and_shrinks_again() -> None:
    async def scenario() -> None:
        client = FakeClient()
        await client.create(DEPLOYMENT, a_deployment(3))
        informers = Informers(client)
        replicasets, pods = informers.of(REPLICASET), informers.of(POD)
        parts: list[Deployments | ReplicaSets] = [
            Deployments(client, informers.of(DEPLOYMENT), replicasets),
            ReplicaSets(client, replicasets, pods),
        ]
        await informers.synced()
        for part in parts:
            part.start()
        tasks = [asyncio.create_task(part.queue.run()) for part in parts]

        async def until_pods(count: int) -> list[dict[str, Any]]:
            async with asyncio.timeout(5):
                while len(items := (await client.list(POD))["items"]) != count:
                    await asyncio.sleep(0.01)
            return list(items)

        created = await until_pods(3)
        owners = {pod["metadata"]["ownerReferences"][0]["kind"] for pod in created}
        assert owners == {"ReplicaSet"}
        assert all("pod-template-hash" in pod["metadata"]["labels"] for pod in created)
        await client.patch(DEPLOYMENT, "nginx", {"spec": {"replicas": 1}}, "default")
        await until_pods(1)
        for task in tasks:
            task.cancel()
        await informers.close()

    asyncio.run(scenario())


def test_named_target_ports_are_looked_up_in_the_pod() -> None:
    assert target_port({"port": 80, "targetPort": "http"}, a_pod("a")) == 8080
    assert target_port({"port": 80, "targetPort": "http", "protocol": "UDP"}, a_pod("a")) is None
    assert target_port({"port": 80}, a_pod("a")) == 80


def test_endpoints_hold_ready_pods_and_slices_say_who_is_ready() -> None:
    service = {
        "metadata": {"name": "web", "namespace": "default", "uid": "s"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    ready = a_pod("a", "controller", podIP="10.233.105.129", conditions=READY)
    starting = a_pod("b", "worker01", podIP="10.233.73.193")
    subset = endpoints_of(service, [ready, starting])["subsets"][0]
    assert [entry["ip"] for entry in subset["addresses"]] == ["10.233.105.129"]
    assert [entry["ip"] for entry in subset["notReadyAddresses"]] == ["10.233.73.193"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    found = slice_of(service, [ready, starting], 4)["endpoints"]
    assert [entry["conditions"]["ready"] for entry in found] == [True, False]
