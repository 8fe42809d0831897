"""DaemonSets: a pod on each node that the template fits. Pure."""

from __future__ import annotations

import copy

from harness.nodes.control.actions import Action, Create, Delete, status_patch
from harness.nodes.control.placement import objections
from harness.nodes.control.podstate import (
    is_ready,
    is_terminating,
    labels_of,
    phase,
    pod_of,
    template_hash,
)
from harness.nodes.control.statefulsets import REVISION_LABEL
from spiderpool.kube.api import Object
from spiderpool.kube.resources import DAEMONSET, POD

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


def daemon_set_plan(daemon_set: Object, pods: list[Object], nodes: list[Object]) -> list[Action]:
    """``pods`` are those that the DaemonSet owns."""
    placed: dict[str, list[Object]] = {}
    for pod in pods:
        placed.setdefault(node_of(pod), []).append(pod)
    template = _template(daemon_set)
    wanted = {
        node["metadata"]["name"] for node in nodes if not any(objections(template["spec"], node))
    }
    actions: list[Action] = []
    if not is_terminating(daemon_set):
        actions += [
            Create(POD, _pod(daemon_set, template, name)) for name in sorted(wanted - placed.keys())
        ]
        actions += _surplus(placed, wanted)
        actions += _outdated(daemon_set, placed, wanted)
    return actions + status_patch(DAEMONSET, daemon_set, _status(daemon_set, placed, wanted))


def node_of(pod: Object) -> str:
    """Where the pod runs, or is meant to run."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


def _template(daemon_set: Object) -> Object:
    template: Object = copy.deepcopy(daemon_set["spec"]["template"])
    tolerations = template["spec"].setdefault("tolerations", [])
    tolerations += [
        {"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED
    ]
    return template


def _pod(daemon_set: Object, template: Object, node: str) -> Object:
    labels = {REVISION_LABEL: template_hash(daemon_set["spec"]["template"])}
    prefix = f"{daemon_set['metadata']['name']}-"
    pod = pod_of(DAEMONSET, daemon_set, template, generateName=prefix, labels=labels)
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    pod["spec"].setdefault("affinity", {})["nodeAffinity"] = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": [field]}]
        }
    }
    return pod


def _surplus(placed: dict[str, list[Object]], wanted: set[str]) -> list[Action]:
    """Pods that ended, second pods of a node, and pods of nodes that do not fit any more."""
    actions: list[Action] = []
    for node, pods in placed.items():
        oldest_first = sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])
        for index, pod in enumerate(oldest_first):
            ended = phase(pod) in ("Failed", "Succeeded")
            if (ended or index or node not in wanted) and not is_terminating(pod):
                actions.append(Delete(POD, pod))
    return actions


def _outdated(
    daemon_set: Object, placed: dict[str, list[Object]], wanted: set[str]
) -> list[Action]:
    """Delete pods of an old template, as many as may be unavailable at once."""
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    allowed = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
    if isinstance(allowed, str):
        allowed = -(-len(wanted) * int(allowed.rstrip("%")) // 100)
    ready = [pod for node in wanted for pod in placed.get(node, []) if is_ready(pod)]
    unavailable = len(wanted) - sum(not is_terminating(pod) for pod in ready)
    current = template_hash(daemon_set["spec"]["template"])
    old = [
        pod
        for node in sorted(wanted)
        for pod in placed.get(node, [])
        if labels_of(pod).get(REVISION_LABEL) != current and not is_terminating(pod)
    ]
    broken = [pod for pod in old if not is_ready(pod)]
    healthy = [pod for pod in old if is_ready(pod)]
    return [Delete(POD, pod) for pod in broken + healthy[: max(0, allowed - unavailable)]]


def _status(daemon_set: Object, placed: dict[str, list[Object]], wanted: set[str]) -> Object:
    current = template_hash(daemon_set["spec"]["template"])
    there = [placed[node][0] for node in sorted(wanted) if node in placed]
    ready = sum(is_ready(pod) for pod in there)
    updated = sum(labels_of(pod).get(REVISION_LABEL) == current for pod in there)
    optional = {
        "numberAvailable": ready,
        "numberUnavailable": len(wanted) - ready,
        "updatedNumberScheduled": updated,
    }
    return {
        "currentNumberScheduled": len(there),
        "desiredNumberScheduled": len(wanted),
        "numberMisscheduled": sum(node not in wanted for node in placed),
        "numberReady": ready,
        "observedGeneration": daemon_set["metadata"].get("generation", 0),
        **{name: count for name, count in optional.items() if count},
    }
