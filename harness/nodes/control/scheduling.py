"""The scheduler's choice: the node with the fewest pods of the same owner. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.nodes.control.owners import controller_of
from harness.nodes.control.placement import objections
from harness.nodes.control.podstate import is_active, is_terminating
from spiderpool.kube.api import Object

NAME = "default-scheduler"


@dataclass(frozen=True, slots=True)
class Choice:
    """A node's name, or why there is none."""

    node: str = ""
    reason: str = ""


def is_waiting(pod: Object) -> bool:
    """Whether the pod needs a node, from this scheduler, now."""
    spec = pod.get("spec") or {}
    mine = spec.get("schedulerName", NAME) == NAME
    held = spec.get("nodeName") or spec.get("schedulingGates") or is_terminating(pod)
    return mine and not held


def choose(pod: Object, nodes: Iterable[Object], pods: Iterable[Object]) -> Choice:
    """Spread the pods of one owner, then all pods; equal nodes by name."""
    refused: Counter[str] = Counter()
    fitting = []
    count = 0
    for node in nodes:
        count += 1
        reasons = list(objections(pod["spec"], node))
        refused.update(reasons[:1])
        if not reasons:
            fitting.append(str(node["metadata"]["name"]))
    if not fitting:
        listed = ", ".join(f"{times} {reason}" for reason, times in sorted(refused.items()))
        if not count:
            return Choice(reason="no nodes available to schedule pods")
        return Choice(reason=f"0/{count} nodes are available: {listed}.")
    same, total = _load(pod, pods)
    return Choice(node=min(fitting, key=lambda name: (same[name], total[name], name)))


def _load(pod: Object, pods: Iterable[Object]) -> tuple[Counter[str], Counter[str]]:
    """Pods of the same owner, and all pods, on each node."""
    owner = (controller_of(pod) or {}).get("uid")
    same: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for other in pods:
        node = (other.get("spec") or {}).get("nodeName")
        if node and is_active(other):
            total[node] += 1
            same[node] += bool(owner) and (controller_of(other) or {}).get("uid") == owner
    return same, total


def unschedulable(pod: Object, reason: str, moment: str) -> Object:
    """The strategic status patch that says so; empty when the pod says it already."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    before: Object = next((each for each in conditions if each["type"] == "PodScheduled"), {})
    if before.get("status") == "False" and before.get("message") == reason:
        return {}
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": reason,
        "lastTransitionTime": before.get("lastTransitionTime", moment),
    }
    return {"status": {"conditions": [condition]}}
