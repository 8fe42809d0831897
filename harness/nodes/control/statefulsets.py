"""StatefulSets: pods with numbers for names, one after another. Pure.

Volume claims are left out: there is no storage here.
"""

from __future__ import annotations

import copy

from harness.nodes.control.actions import Action, Create, Delete, status_patch
from harness.nodes.control.podstate import (
    is_ready,
    is_terminating,
    labels_of,
    phase,
    pod_of,
    template_hash,
)
from spiderpool.kube.api import Object
from spiderpool.kube.resources import POD, STATEFULSET

REVISION_LABEL = "controller-revision-hash"
NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"


def stateful_set_plan(stateful_set: Object, pods: list[Object]) -> list[Action]:
    """``pods`` are those that the StatefulSet owns."""
    by_number = {_number(pod): pod for pod in pods}
    actions: list[Action] = []
    if not is_terminating(stateful_set):
        actions += _steps(stateful_set, by_number)
    return actions + status_patch(STATEFULSET, stateful_set, _status(stateful_set, pods))


def _number(pod: Object) -> int:
    return int(str(pod["metadata"]["name"]).rpartition("-")[2])


def revision_of(stateful_set: Object) -> str:
    name = stateful_set["metadata"]["name"]
    return f"{name}-{template_hash(stateful_set['spec']['template'])}"


def _steps(stateful_set: Object, pods: dict[int, Object]) -> list[Action]:
    """One step with ``OrderedReady``, all at once with ``Parallel``."""
    spec = stateful_set["spec"]
    first = (spec.get("ordinals") or {}).get("start") or 0
    numbers = range(first, first + spec.get("replicas", 1))
    actions = [*_failed(pods)]
    actions += [Create(POD, _pod(stateful_set, number)) for number in numbers if number not in pods]
    actions += [
        Delete(POD, pods[number])
        for number in sorted(pods, reverse=True)
        if number not in numbers and not is_terminating(pods[number])
    ]
    if spec.get("podManagementPolicy") != "Parallel":
        actions = _in_order(actions, pods, numbers)
    return actions or _update(stateful_set, pods)


def _failed(pods: dict[int, Object]) -> list[Action]:
    """A pod that ended is replaced under its name."""
    ended = ("Failed", "Succeeded")
    return [
        Delete(POD, pod) for pod in pods.values() if phase(pod) in ended and not is_terminating(pod)
    ]


def _in_order(actions: list[Action], pods: dict[int, Object], numbers: range) -> list[Action]:
    """The first step, and only when every pod before it is ready and none is going away."""
    if not actions or any(is_terminating(pod) for pod in pods.values()):
        return []
    step = actions[0]
    if isinstance(step, Create):
        before = [number for number in numbers if number < _number(step.obj)]
        if not all(number in pods and is_ready(pods[number]) for number in before):
            return []
    return [step]


def _update(stateful_set: Object, pods: dict[int, Object]) -> list[Action]:
    """Delete the highest pod of an old template, once all pods are ready."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    wanted = revision_of(stateful_set)
    old = [
        number
        for number, pod in pods.items()
        if number >= partition and labels_of(pod).get(REVISION_LABEL) != wanted
    ]
    others = [pod for number, pod in pods.items() if number not in old]
    settled = all(is_ready(pod) and not is_terminating(pod) for pod in others)
    if not old or not settled or any(is_terminating(pods[number]) for number in old):
        return []
    return [Delete(POD, pods[max(old)])]


def _pod(stateful_set: Object, number: int) -> Object:
    name = f"{stateful_set['metadata']['name']}-{number}"
    labels = {REVISION_LABEL: revision_of(stateful_set), NAME_LABEL: name, INDEX_LABEL: str(number)}
    template = copy.deepcopy(stateful_set["spec"]["template"])
    template["spec"]["hostname"] = name
    if stateful_set["spec"].get("serviceName"):
        template["spec"]["subdomain"] = stateful_set["spec"]["serviceName"]
    return pod_of(STATEFULSET, stateful_set, template, name=name, labels=labels)


def _status(stateful_set: Object, pods: list[Object]) -> Object:
    wanted = revision_of(stateful_set)
    before = stateful_set.get("status") or {}
    running = [pod for pod in pods if not is_terminating(pod)]
    updated = [pod for pod in running if labels_of(pod).get(REVISION_LABEL) == wanted]
    complete = len(updated) == len(running)
    counts = {
        "replicas": len(running),
        "readyReplicas": sum(map(is_ready, running)),
        "availableReplicas": sum(map(is_ready, running)),
        "currentReplicas": len(updated) if complete else len(running) - len(updated),
        "updatedReplicas": len(updated),
    }
    return {
        **{name: count for name, count in counts.items() if count or name == "replicas"},
        "observedGeneration": stateful_set["metadata"].get("generation", 0),
        "currentRevision": wanted if complete else before.get("currentRevision", wanted),
        "updateRevision": wanted,
        "collisionCount": 0,
    }
