"""ReplicaSets, StatefulSets, DaemonSets, Jobs, scheduling and endpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.nodes.control.actions import Action, Create, Delete, Patch
from harness.nodes.control.daemonsets import daemon_set_plan, node_of
from harness.nodes.control.endpoints import endpoints_of, slices_of
from harness.nodes.control.jobs import job_plan
from harness.nodes.control.replicasets import replica_set_plan
from harness.nodes.control.scheduling import Choice, choose, is_waiting, unschedulable
from harness.nodes.control.statefulsets import REVISION_LABEL, revision_of, stateful_set_plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Object = dict[str, Any]
TEMPLATE: Object = {
    "metadata": {"labels": {"app": "x"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}


def owner(**spec: Any) -> Object:
    metadata = {"name": "own", "namespace": "default", "uid": "owner", "generation": 1}
    return {"metadata": metadata, "spec": {"template": TEMPLATE, **spec}}


def pod(
    name: str, *, ready: bool = True, node: str = "n", phase: str = "Running", **more: Any
) -> Object:
    conditions = [
        {"type": "Ready", "status": str(ready), "lastTransitionTime": "2025-01-01T00:00:00Z"}
    ]
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": name,
        "creationTimestamp": "2025-01-01T00:00:00Z",
        **more,
    }
    return {
        "metadata": metadata,
        "spec": {"nodeName": node, "containers": TEMPLATE["spec"]["containers"]},
        "status": {"phase": phase, "conditions": conditions},
    }


def node(name: str, *, ready: bool = True, **spec: Any) -> Object:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": spec,
        "status": {"conditions": conditions},
    }


def created(actions: list[Action]) -> list[Object]:
    return [action.obj for action in actions if isinstance(action, Create)]


def deleted(actions: list[Action]) -> list[str]:
    return [action.obj["metadata"]["name"] for action in actions if isinstance(action, Delete)]


def status(actions: list[Action]) -> Object:
    (patch,) = [
        each for each in actions if isinstance(each, Patch) and each.subresource == "status"
    ]
    found: Object = patch.body["status"]
    return found


def test_replica_set_makes_what_is_missing() -> None:
    gone = pod("c", deletionTimestamp="x")
    failed = pod("d", phase="Failed")
    actions = replica_set_plan(owner(replicas=3), [pod("a"), gone, failed], NOW)
    assert len(created(actions)) == 2
    made = created(actions)[0]
    assert made["metadata"]["generateName"] == "own-"
    assert made["metadata"]["ownerReferences"][0]["uid"] == "owner"
    assert status(actions)["replicas"] == 1


def test_replica_set_gives_up_the_least_useful() -> None:
    pods = [
        pod("young", creationTimestamp="2025-06-01T00:00:00Z"),
        pod("old"),
        pod("unready", ready=False),
        pod("unplaced", node="", ready=False, phase="Pending"),
    ]
    assert deleted(replica_set_plan(owner(replicas=3), pods, NOW)) == ["unplaced"]
    assert deleted(replica_set_plan(owner(replicas=1), pods, NOW)) == [
        "unplaced",
        "unready",
        "young",
    ]


def test_availability_takes_its_time() -> None:
    fresh = pod("a")
    fresh["status"]["conditions"][0]["lastTransitionTime"] = "2025-12-31T23:59:50Z"
    found = status(replica_set_plan(owner(replicas=2, minReadySeconds=30), [fresh, pod("b")], NOW))
    assert (found["readyReplicas"], found["availableReplicas"]) == (2, 1)


def labelled(name: str, obj: Object, **more: Any) -> Object:
    return pod(name, labels={REVISION_LABEL: revision_of(obj)}, **more)


@pytest.mark.parametrize(
    ("pods", "made"),
    [([], "own-0"), (["own-0"], "own-1"), (["own-0", "own-1"], "own-2"), (["own-1"], "own-0")],
)
def test_stateful_set_grows_in_order(pods: list[str], made: str) -> None:
    obj = owner(replicas=3)
    actions = stateful_set_plan(obj, [labelled(name, obj) for name in pods])
    assert [each["metadata"]["name"] for each in created(actions)] == [made]


def test_stateful_set_waits_for_the_one_before() -> None:
    obj = owner(replicas=3)
    assert created(stateful_set_plan(obj, [labelled("own-0", obj, ready=False)])) == []
    parallel = owner(replicas=3, podManagementPolicy="Parallel")
    assert len(created(stateful_set_plan(parallel, []))) == 3


def test_stateful_set_shrinks_from_the_end() -> None:
    obj = owner(replicas=1)
    pods = [labelled(f"own-{number}", obj) for number in range(3)]
    assert deleted(stateful_set_plan(obj, pods)) == ["own-2"]


def test_stateful_set_renews_from_the_end() -> None:
    obj = owner(replicas=3)
    pods = [pod(f"own-{number}", labels={REVISION_LABEL: "old"}) for number in range(3)]
    assert deleted(stateful_set_plan(obj, pods)) == ["own-2"]
    pods[2] = labelled("own-2", obj, ready=False)
    assert deleted(stateful_set_plan(obj, pods)) == []
    pods[2] = labelled("own-2", obj)
    assert deleted(stateful_set_plan(obj, pods)) == ["own-1"]
    obj["spec"]["updateStrategy"] = {"rollingUpdate": {"partition": 2}}
    assert deleted(stateful_set_plan(obj, pods)) == []


def test_daemon_set_covers_the_nodes_that_fit() -> None:
    nodes = [node("a"), node("b"), node("c", taints=[{"key": "k", "effect": "NoSchedule"}])]
    actions = daemon_set_plan(owner(), [], nodes)
    assert [node_of(each) for each in created(actions)] == ["a", "b"]
    assert status(actions)["desiredNumberScheduled"] == 2


def test_daemon_set_leaves_nodes_and_renews_pods() -> None:
    current = created(daemon_set_plan(owner(), [], [node("a")]))[0]["metadata"]["labels"]
    pods = [
        pod("kept", node="a", labels=current),
        pod("second", node="a", labels=current, creationTimestamp="2025-06-01T00:00:00Z"),
        pod("stray", node="z", labels=current),
    ]
    assert deleted(daemon_set_plan(owner(), pods, [node("a")])) == ["second", "stray"]
    old = [pod("a", node="a"), pod("b", node="b")]
    assert deleted(daemon_set_plan(owner(), old, [node("a"), node("b")])) == ["a"]


@pytest.mark.parametrize(
    ("phases", "missing", "outcome"),
    [
        ([], 2, ""),
        (["Running"], 1, ""),
        (["Succeeded", "Succeeded"], 1, ""),
        (["Succeeded"] * 3, 0, "Complete"),
        (["Failed"], 2, ""),
        (["Failed"] * 3, 0, "Failed"),
    ],
)
def test_jobs(phases: list[str], missing: int, outcome: str) -> None:
    job = owner(completions=3, parallelism=2, backoffLimit=2)
    pods = [pod(f"p{number}", phase=phase) for number, phase in enumerate(phases)]
    actions = job_plan(job, pods, NOW)
    assert len(created(actions)) == missing
    conditions = status(actions).get("conditions") or []
    assert ([each["type"] for each in conditions][1:] or [""]) == [outcome]


def test_finished_job_is_left_alone() -> None:
    job = owner(completions=1)
    job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert job_plan(job, [], NOW) == []


def placed(name: str, where: str, uid: str) -> Object:
    reference = {"uid": uid, "kind": "ReplicaSet", "name": uid, "controller": True}
    return pod(name, node=where, ownerReferences=[reference])


def test_pods_of_one_owner_are_spread() -> None:
    nodes = [node("a"), node("b")]
    others = [placed("1", "a", "mine"), placed("2", "b", "other"), placed("3", "b", "other")]
    assert choose(placed("new", "", "mine"), nodes, others) == Choice("b")
    assert choose(placed("new", "", "third"), nodes, others) == Choice("a")


def choice(spec: Object, *nodes: Object) -> Choice:
    waiting = pod("new", node="")
    waiting["spec"] |= spec
    return choose(waiting, list(nodes), [])


@pytest.mark.parametrize(
    ("spec", "nodes", "reason"),
    [
        ({}, [], "no nodes available to schedule pods"),
        (
            {},
            [node("a", unschedulable=True)],
            "0/1 nodes are available: 1 node(s) were unschedulable.",
        ),
        (
            {"nodeSelector": {"disk": "ssd"}},
            [node("a"), node("b")],
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
        ),
        (
            {},
            [node("a", ready=False)],
            "0/1 nodes are available: "
            "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
        ),
    ],
)
def test_reasons_for_no_node(spec: Object, nodes: list[Object], reason: str) -> None:
    assert choice(spec, *nodes) == Choice(reason=reason)


def affinity(**expression: Any) -> Object:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (affinity(key="kubernetes.io/hostname", operator="In", values=["b"]), "b"),
        (affinity(key="kubernetes.io/hostname", operator="NotIn", values=["a"]), "b"),
        (affinity(key="disk", operator="DoesNotExist"), "a"),
        (affinity(key="rank", operator="Gt", values=["1"]), "b"),
        (affinity(key="rank", operator="Lt", values=["2"]), "a"),
        ({"tolerations": [{"operator": "Exists"}]}, "a"),
    ],
)
def test_placement(spec: Object, expected: str) -> None:
    first, second = node("a"), node("b")
    first["metadata"]["labels"]["rank"] = "1"
    second["metadata"]["labels"]["rank"] = "2"
    assert choice(spec, first, second).node == expected


def test_taints_and_tolerations() -> None:
    tainted = node("a", taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}])
    assert choice({}, tainted).node == ""
    for toleration in (
        {"key": "k", "value": "v"},
        {"key": "k", "operator": "Exists"},
        {"operator": "Exists", "effect": "NoSchedule"},
    ):
        assert choice({"tolerations": [toleration]}, tainted).node == "a"
    for toleration in (
        {"key": "k", "value": "w"},
        {"key": "k", "effect": "NoExecute", "value": "v"},
    ):
        assert choice({"tolerations": [toleration]}, tainted).node == ""


def test_pods_that_wait_for_this_scheduler() -> None:
    assert is_waiting(pod("a", node=""))
    assert not is_waiting(pod("a"))
    assert not is_waiting(pod("a", node="", deletionTimestamp="x"))
    gated = pod("a", node="")
    gated["spec"]["schedulingGates"] = [{"name": "x"}]
    assert not is_waiting(gated)


def test_reason_is_told_once() -> None:
    waiting = pod("a", node="")
    body = unschedulable(waiting, "no room", "now")
    waiting["status"]["conditions"] += body["status"]["conditions"]
    assert unschedulable(waiting, "no room", "later") == {}
    assert unschedulable(waiting, "other", "later")["status"]["conditions"][0]["message"] == "other"


def service(**spec: Any) -> Object:
    ports = [{"name": "web", "port": 80, "targetPort": "http"}, {"name": "raw", "port": 81}]
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "s"},
        "spec": {"selector": {"app": "x"}, "ports": ports, "ipFamilies": ["IPv4"], **spec},
    }


def backend(name: str, *addresses: str, **more: Any) -> Object:
    made = pod(name, labels={"app": "x"}, **more)
    made["status"]["podIPs"] = [{"ip": address} for address in addresses]
    port = {"name": "http", "containerPort": 8080}
    made["spec"]["containers"] = [{"name": "c", "ports": [port]}]
    return made


def test_endpoints_by_readiness() -> None:
    pods = [
        backend("a", "10.0.0.1"),
        backend("b", "10.0.0.2", ready=False),
        backend("c", "10.0.0.3", deletionTimestamp="x"),
        backend("d", "10.0.0.4", phase="Succeeded"),
        backend("e"),
        pod("stranger", labels={"app": "y"}),
    ]
    (subset,) = endpoints_of(service(), pods)["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == ["10.0.0.1"]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["10.0.0.2"]
    assert subset["ports"] == [
        {"name": "web", "port": 8080, "protocol": "TCP"},
        {"name": "raw", "port": 81, "protocol": "TCP"},
    ]
    (found,) = slices_of(service(), pods)
    assert [each["conditions"] for each in found["endpoints"]] == [
        {"ready": True, "serving": True, "terminating": False},
        {"ready": False, "serving": False, "terminating": False},
        {"ready": False, "serving": True, "terminating": True},
    ]


def test_unready_pods_are_published_when_asked() -> None:
    pods = [backend("a", "10.0.0.1", ready=False)]
    (subset,) = endpoints_of(service(publishNotReadyAddresses=True), pods)["subsets"]
    assert len(subset["addresses"]) == 1


def test_a_slice_for_each_family() -> None:
    both = service(ipFamilies=["IPv4", "IPv6"])
    slices = slices_of(both, [backend("a", "10.0.0.1", "fd00::1")])
    found = {each["addressType"]: each["endpoints"][0]["addresses"] for each in slices}
    assert found == {"IPv4": ["10.0.0.1"], "IPv6": ["fd00::1"]}


def test_service_without_pods_has_an_empty_slice() -> None:
    (found,) = slices_of(service(), [])
    assert (found["endpoints"], found["ports"]) == ([], [])
    assert endpoints_of(service(), [])["subsets"] == []
