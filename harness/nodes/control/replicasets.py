"""ReplicaSets: as many pods as wanted. Pure."""

from __future__ import annotations

from datetime import datetime

from harness.nodes.control.actions import Action, Create, Delete, status_patch
from harness.nodes.control.podstate import (
    dispensable_first,
    is_active,
    is_available,
    is_ready,
    is_terminating,
    pod_of,
)
from spiderpool.kube.api import Object
from spiderpool.kube.resources import POD, REPLICASET


def replica_set_plan(replica_set: Object, pods: list[Object], now: datetime) -> list[Action]:
    """``pods`` are those that the ReplicaSet owns."""
    active = [pod for pod in pods if is_active(pod)]
    actions: list[Action] = []
    if not is_terminating(replica_set):
        actions += _scaling(replica_set, active)
    return actions + status_patch(REPLICASET, replica_set, _status(replica_set, active, now))


def _scaling(replica_set: Object, active: list[Object]) -> list[Action]:
    spec = replica_set["spec"]
    missing = spec.get("replicas", 1) - len(active)
    if missing < 0:
        return [Delete(POD, pod) for pod in dispensable_first(active)[:-missing]]
    prefix = f"{replica_set['metadata']['name']}-"
    return [
        Create(POD, pod_of(REPLICASET, replica_set, spec["template"], generateName=prefix))
        for _ in range(missing)
    ]


def _status(replica_set: Object, active: list[Object], now: datetime) -> Object:
    min_ready = replica_set["spec"].get("minReadySeconds") or 0
    counts = {
        "replicas": len(active),
        "fullyLabeledReplicas": len(active),
        "readyReplicas": sum(map(is_ready, active)),
        "availableReplicas": sum(is_available(pod, min_ready, now) for pod in active),
    }
    return {
        **{name: count for name, count in counts.items() if count or name == "replicas"},
        "observedGeneration": replica_set["metadata"].get("generation", 0),
    }
