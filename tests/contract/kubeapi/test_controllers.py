"""Workloads become pods, pods get nodes and services get endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from rest import Api, Kubelet, eventually

pytestmark = pytest.mark.usefixtures("control_plane")
NODES = ("node-a", "node-b")
READY = {"type": "Ready", "status": "True"}


@pytest.fixture
def nodes(client: Api) -> Iterator[tuple[str, ...]]:
    for name in NODES:
        client.must(client.create("/api/v1/nodes", {"metadata": {"name": name}}))
        status = {"status": {"conditions": [READY]}}
        client.must(client.patch(f"/api/v1/nodes/{name}/status", status))
    yield NODES
    for name in NODES:
        client.must(client.delete(f"/api/v1/nodes/{name}"))


@pytest.fixture
def kubelet(client: Api, core: str) -> Kubelet:
    return Kubelet(client, core)


@pytest.fixture
def apps(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}"


def workload(name: str, image: str = "one", **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {
            "containers": [
                {"name": "c", "image": image, "ports": [{"name": "http", "containerPort": 80}]}
            ]
        },
    }
    selector = {"matchLabels": {"app": name}}
    return {
        "metadata": {"name": name},
        "spec": {"selector": selector, "template": template, **spec},
    }


def test_a_new_node_is_tainted_until_it_is_ready(client: Api) -> None:
    path = "/api/v1/nodes/node-c"
    created = client.must(client.create("/api/v1/nodes", {"metadata": {"name": "node-c"}}))
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    assert created["spec"]["taints"] == [taint]
    client.must(client.patch(f"{path}/status", {"status": {"conditions": [READY]}}))
    eventually(lambda: "taints" not in client.must(client.get(path))["spec"])
    client.must(client.patch(path, {"spec": {"unschedulable": True}}))
    eventually(lambda: "taints" in client.must(client.get(path))["spec"])
    client.must(client.delete(path))


def ready(pods: list[dict[str, Any]]) -> int:
    return sum(pod["status"]["phase"] == "Running" for pod in pods)


def images(pods: list[dict[str, Any]]) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


@pytest.mark.usefixtures("nodes")
def test_deployment_spreads_its_pods(client: Api, apps: str, kubelet: Kubelet) -> None:
    client.must(client.create(f"{apps}/deployments", workload("web", replicas=4)))
    eventually(lambda: ready(kubelet.look()) == 4)
    pods = kubelet.look()
    assert Counter(pod["spec"]["nodeName"] for pod in pods) == {"node-a": 2, "node-b": 2}
    replica_set = client.must(client.get(f"{apps}/replicasets"))["items"][0]
    name, short = replica_set["metadata"]["name"], replica_set["metadata"]["labels"]
    assert name == f"web-{short['pod-template-hash']}"
    assert all(pod["metadata"]["name"].startswith(f"{name}-") for pod in pods)
    owner = pods[0]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ReplicaSet", name, True)

    def available() -> bool:
        found = client.must(client.get(f"{apps}/deployments/web"))
        generation, status = found["metadata"]["generation"], found["status"]
        seen = status.get("observedGeneration") == generation
        return bool(seen and status.get("availableReplicas") == 4)

    eventually(available)
    conditions = client.must(client.get(f"{apps}/deployments/web"))["status"]["conditions"]
    assert {each["type"]: each["status"] for each in conditions} == {
        "Available": "True",
        "Progressing": "True",
    }


@pytest.mark.usefixtures("nodes")
def test_deployment_scales(client: Api, apps: str, kubelet: Kubelet) -> None:
    client.must(client.create(f"{apps}/deployments", workload("web", replicas=3)))
    eventually(lambda: ready(kubelet.look()) == 3)
    client.must(client.patch(f"{apps}/deployments/web/scale", {"spec": {"replicas": 1}}))
    eventually(lambda: len(kubelet.look()) == 1)
    client.must(client.patch(f"{apps}/deployments/web/scale", {"spec": {"replicas": 2}}))
    eventually(lambda: ready(kubelet.look()) == 2)


@pytest.mark.usefixtures("nodes")
def test_deployment_rolls_without_a_gap(client: Api, apps: str, kubelet: Kubelet) -> None:
    rolling = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    body = workload("web", replicas=2, strategy=rolling)
    client.must(client.create(f"{apps}/deployments", body))
    eventually(lambda: ready(kubelet.look()) == 2)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "two"}]}}}}
    client.must(client.patch(f"{apps}/deployments/web", patch))
    seen = []

    def rolled() -> bool:
        pods = kubelet.look()
        alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        seen.append((ready(alive), len(alive)))
        return images(pods) == {"two"} and len(pods) == 2

    eventually(rolled)
    assert min(running for running, _ in seen) >= 2
    assert max(total for _, total in seen) <= 3
    sets = client.must(client.get(f"{apps}/replicasets"))["items"]
    assert sorted(each["spec"]["replicas"] for each in sets) == [0, 2]


@pytest.mark.usefixtures("nodes")
def test_lost_pod_is_replaced(client: Api, apps: str, core: str, kubelet: Kubelet) -> None:
    client.must(client.create(f"{apps}/deployments", workload("web", replicas=2)))
    eventually(lambda: ready(kubelet.look()) == 2)
    lost = kubelet.look()[0]["metadata"]
    client.must(client.delete(f"{core}/pods/{lost['name']}"))

    def replaced() -> bool:
        pods = kubelet.look()
        return ready(pods) == 2 and lost["uid"] not in {pod["metadata"]["uid"] for pod in pods}

    eventually(replaced)


@pytest.mark.usefixtures("nodes")
def test_deployment_takes_everything_along(client: Api, apps: str, kubelet: Kubelet) -> None:
    client.must(client.create(f"{apps}/deployments", workload("web", replicas=2)))
    eventually(lambda: ready(kubelet.look()) == 2)
    client.must(client.delete(f"{apps}/deployments/web"))
    eventually(lambda: not kubelet.look())
    assert client.must(client.get(f"{apps}/replicasets"))["items"] == []


@pytest.mark.usefixtures("nodes")
def test_stateful_set_counts_up_and_down(client: Api, apps: str, kubelet: Kubelet) -> None:
    body = workload("db", replicas=3, serviceName="db")
    client.must(client.create(f"{apps}/statefulsets", body))

    def names() -> list[str]:
        return sorted(pod["metadata"]["name"] for pod in kubelet.look())

    eventually(lambda: names() == ["db-0", "db-1", "db-2"] and ready(kubelet.look()) == 3)
    first = kubelet.look()[0]
    assert (first["spec"]["hostname"], first["spec"]["subdomain"]) == ("db-0", "db")
    client.must(client.patch(f"{apps}/statefulsets/db/scale", {"spec": {"replicas": 1}}))
    eventually(lambda: names() == ["db-0"])


def test_daemon_set_runs_everywhere(
    client: Api, apps: str, kubelet: Kubelet, nodes: tuple[str, ...]
) -> None:
    client.must(client.create(f"{apps}/daemonsets", workload("agent")))
    eventually(lambda: ready(kubelet.look()) == len(nodes))
    assert {pod["spec"]["nodeName"] for pod in kubelet.look()} == set(nodes)

    def counted() -> bool:
        status = client.must(client.get(f"{apps}/daemonsets/agent"))["status"]
        return bool(status["numberReady"] == status["desiredNumberScheduled"] == len(nodes))

    eventually(counted)


@pytest.mark.usefixtures("nodes")
def test_job_ends(client: Api, core: str, namespace: str, kubelet: Kubelet) -> None:
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    spec = {"completions": 3, "parallelism": 2, "template": template}
    client.must(client.create(jobs, {"metadata": {"name": "j"}, "spec": spec}))

    def finished() -> bool:
        for pod in kubelet.look():
            if pod["status"]["phase"] == "Running":
                path = f"{core}/pods/{pod['metadata']['name']}/status"
                client.must(client.patch(path, {"status": {"phase": "Succeeded"}}))
        conditions = client.must(client.get(f"{jobs}/j"))["status"].get("conditions") or []
        return any(each["type"] == "Complete" for each in conditions)

    eventually(finished)
    assert client.get(f"{jobs}/j").body["status"]["succeeded"] == 3
    assert len(kubelet.look()) == 3


@pytest.mark.usefixtures("nodes")
def test_service_gets_endpoints(
    client: Api, apps: str, core: str, namespace: str, kubelet: Kubelet
) -> None:
    ports = [{"name": "web", "port": 8080, "targetPort": "http"}]
    service = {"metadata": {"name": "web"}, "spec": {"ports": ports, "selector": {"app": "web"}}}
    client.must(client.create(f"{core}/services", service))
    client.must(client.create(f"{apps}/deployments", workload("web", replicas=2)))
    eventually(lambda: ready(kubelet.look()) == 2)
    addresses = {pod["status"]["podIP"] for pod in kubelet.look()}

    def served() -> bool:
        answer = client.get(f"{core}/endpoints/web")
        subsets = answer.body.get("subsets") or []
        return {each["ip"] for subset in subsets for each in subset["addresses"]} == addresses

    eventually(served)
    subset = client.must(client.get(f"{core}/endpoints/web"))["subsets"][0]
    assert subset["ports"] == [{"name": "web", "port": 80, "protocol": "TCP"}]
    assert subset["addresses"][0]["targetRef"]["kind"] == "Pod"
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    query = {"labelSelector": "kubernetes.io/service-name=web"}
    found = client.must(client.get(slices, **query))["items"]
    assert {each["addresses"][0] for each in found[0]["endpoints"]} == addresses
    assert all(each["conditions"]["ready"] for each in found[0]["endpoints"])
    client.must(client.patch(f"{apps}/deployments/web/scale", {"spec": {"replicas": 0}}))

    def empty() -> bool:
        kubelet.look()
        return not client.must(client.get(f"{core}/endpoints/web")).get("subsets")

    eventually(empty)
    client.must(client.delete(f"{core}/services/web"))
    eventually(lambda: client.get(f"{core}/endpoints/web").code == 404)
    eventually(lambda: not client.must(client.get(slices, **query))["items"])


def test_pod_without_a_node_to_go_to_says_so(client: Api, core: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}], "nodeSelector": {"disk": "none"}}
    client.must(client.create(f"{core}/pods", {"metadata": {"name": "p"}, "spec": spec}))

    def told() -> bool:
        status = client.must(client.get(f"{core}/pods/p"))["status"]
        conditions = {each["type"]: each for each in status.get("conditions") or []}
        return bool(conditions.get("PodScheduled", {}).get("reason") == "Unschedulable")

    eventually(told)

    def recorded() -> bool:
        found = client.must(client.get(f"{core}/events"))["items"]
        return any(event["reason"] == "FailedScheduling" for event in found)

    eventually(recorded)
