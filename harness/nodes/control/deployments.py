"""Deployments: ReplicaSets of the present and of past templates, and the way between. Pure."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from datetime import datetime

from harness.nodes.control.actions import Action, Create, Delete, Patch, status_patch
from harness.nodes.control.owners import reference_to
from harness.nodes.control.podstate import is_terminating, labels_of, template_hash
from spiderpool.kube.api import Object
from spiderpool.kube.resources import DEPLOYMENT, REPLICASET

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Sets:
    """A Deployment's ReplicaSets: the one of its present template, and the older ones."""

    current: Object | None
    older: tuple[Object, ...]

    @property
    def all(self) -> tuple[Object, ...]:
        return (*((self.current,) if self.current else ()), *self.older)


def deployment_plan(deployment: Object, owned: list[Object], now: datetime) -> list[Action]:
    """``owned`` are the ReplicaSets that the Deployment controls."""
    sets = sort_out(deployment, owned)
    actions: list[Action] = []
    if not is_terminating(deployment):
        if sets.current is None:
            actions.append(Create(REPLICASET, _new_set(deployment, sets)))
        else:
            actions += _revise(deployment, sets.current, sets.older)
            actions += _rollout(deployment, sets.current, sets.older)
        actions += _forgotten(deployment, sets)
    return actions + status_patch(DEPLOYMENT, deployment, status_of(deployment, sets, now))


def sort_out(deployment: Object, owned: list[Object]) -> Sets:
    wanted = template_hash(deployment["spec"]["template"])

    def is_current(replica_set: Object) -> bool:
        return labels_of(replica_set).get(HASH) == wanted

    current = next((each for each in owned if is_current(each)), None)
    older = sorted((each for each in owned if not is_current(each)), key=_revision)
    return Sets(current, tuple(older))


def _revision(obj: Object) -> int:
    return int((obj["metadata"].get("annotations") or {}).get(REVISION) or 0)


def _wanted(obj: Object) -> int:
    return int(obj["spec"].get("replicas", 1))


def _count(replica_set: Object, field: str) -> int:
    return int((replica_set.get("status") or {}).get(field) or 0)


def _new_set(deployment: Object, sets: Sets) -> Object:
    """The ReplicaSet of a template that is new, with as many pods as may start now."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    name = template_hash(spec["template"])
    template = copy.deepcopy(spec["template"])
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = name
    selector = copy.deepcopy(spec["selector"])
    selector.setdefault("matchLabels", {})[HASH] = name
    return {
        "apiVersion": REPLICASET.api_version,
        "kind": REPLICASET.kind,
        "metadata": {
            "name": f"{metadata['name']}-{name}",
            "namespace": metadata["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": {REVISION: str(_next_revision(sets.older))},
            "ownerReferences": [reference_to(DEPLOYMENT, deployment)],
        },
        "spec": {
            "replicas": _startable(deployment, 0, sets.older),
            "selector": selector,
            "template": template,
            **_kept(spec, "minReadySeconds"),
        },
    }


def _kept(spec: Object, name: str) -> Object:
    return {name: spec[name]} if name in spec else {}


def _next_revision(older: tuple[Object, ...]) -> int:
    return max((_revision(each) for each in older), default=0) + 1


def _revise(deployment: Object, current: Object, older: tuple[Object, ...]) -> list[Action]:
    """The present template has the highest revision, also after going back to an old one."""
    revision = max(_revision(current), _next_revision(older))
    wanted = {"metadata": {"annotations": {REVISION: str(revision)}}}
    return [
        Patch(resource, obj, wanted)
        for resource, obj in ((REPLICASET, current), (DEPLOYMENT, deployment))
        if _revision(obj) != revision
    ]


def _rollout(deployment: Object, current: Object, older: tuple[Object, ...]) -> list[Action]:
    actions = []
    running = [each for each in older if _wanted(each)]
    if deployment["spec"].get("paused") and running:
        return []
    startable = _startable(deployment, _wanted(current), older)
    if startable != _wanted(current):
        actions += _scaled(current, startable)
    return actions + _shrink(deployment, current, running)


def _shrink(deployment: Object, current: Object, running: list[Object]) -> list[Action]:
    """Take pods from older ReplicaSets, first those that never became available.

    What is wanted is counted, not only what is reported: reports lag behind, and a pod must
    not be given up twice.
    """
    if _strategy(deployment) == "Recreate":
        return [action for each in running for action in _scaled(each, 0)]
    fewest = _wanted(deployment) - _share(deployment, "maxUnavailable")
    everything = (current, *running)
    starting = _wanted(current) - min(_wanted(current), _count(current, "availableReplicas"))
    allowed = sum(map(_wanted, everything)) - fewest - starting
    healthy = sum(_count(each, "availableReplicas") for each in everything) - fewest
    actions: list[Action] = []
    for replica_set in sorted(running, key=lambda each: _count(each, "availableReplicas")):
        wanted = _wanted(replica_set)
        broken = max(0, wanted - _count(replica_set, "availableReplicas"))
        surplus = min(wanted - broken, max(0, healthy))
        drop = max(0, min(allowed, broken + surplus))
        allowed -= drop
        healthy -= max(0, drop - broken)
        if drop:
            actions += _scaled(replica_set, wanted - drop)
    return actions


def _scaled(replica_set: Object, replicas: int) -> list[Action]:
    return [Patch(REPLICASET, replica_set, {"spec": {"replicas": replicas}})]


def _startable(deployment: Object, now: int, older: tuple[Object, ...]) -> int:
    """How many pods the present template may have at this moment."""
    replicas = _wanted(deployment)
    if now >= replicas:
        return replicas
    if _strategy(deployment) == "Recreate":
        gone = not any(_count(each, "replicas") for each in older)
        return replicas if gone else now
    others = sum(max(_wanted(each), _count(each, "replicas")) for each in older)
    return min(replicas, max(now, replicas + _share(deployment, "maxSurge") - others))


def _strategy(deployment: Object) -> str:
    return str((deployment["spec"].get("strategy") or {}).get("type") or "RollingUpdate")


def _share(deployment: Object, field: str) -> int:
    """``maxSurge`` rounded up, ``maxUnavailable`` rounded down; both being 0 would stop all."""
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = _portion(rolling.get("maxSurge", "25%"), _wanted(deployment), up=True)
    unavailable = _portion(rolling.get("maxUnavailable", "25%"), _wanted(deployment), up=False)
    if field == "maxSurge":
        return surge
    return unavailable if surge or unavailable else 1


def _portion(value: int | str, total: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = total * int(value.rstrip("%")) / 100
    return math.ceil(exact) if up else math.floor(exact)


def _forgotten(deployment: Object, sets: Sets) -> list[Action]:
    """Of the empty ReplicaSets only the newest ones are kept, to go back to."""
    empty = [each for each in sets.older if not _wanted(each) and not _count(each, "replicas")]
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    surplus = max(0, len(empty) - limit)
    return [Delete(REPLICASET, each) for each in empty[:surplus] if not is_terminating(each)]


def status_of(deployment: Object, sets: Sets, now: datetime) -> Object:
    total, ready, available = (
        sum(_count(each, field) for each in sets.all)
        for field in ("replicas", "readyReplicas", "availableReplicas")
    )
    updated = _count(sets.current, "replicas") if sets.current else 0
    replicas = _wanted(deployment)
    counts = {
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": available,
        "unavailableReplicas": max(0, replicas - available),
    }
    enough = available >= replicas - _share(deployment, "maxUnavailable")
    done = updated == total == replicas == available
    conditions = [_availability(enough), _progress(deployment, sets, done)]
    return {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        **{name: count for name, count in counts.items() if count},
        "conditions": [_since(deployment, condition, now) for condition in conditions],
    }


def _availability(enough: bool) -> Object:
    if enough:
        words = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        message = "Deployment does not have minimum availability."
        words = ("False", "MinimumReplicasUnavailable", message)
    return dict(zip(("type", "status", "reason", "message"), ("Available", *words), strict=True))


def _progress(deployment: Object, sets: Sets, done: bool) -> Object:
    name = f"{deployment['metadata']['name']}-{template_hash(deployment['spec']['template'])}"
    if done:
        words = ("NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    elif sets.current is None:
        words = ("NewReplicaSetCreated", f'Created new replica set "{name}"')
    else:
        words = ("ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    return {"type": "Progressing", "status": "True", "reason": words[0], "message": words[1]}


def _since(deployment: Object, condition: Object, now: datetime) -> Object:
    """A condition keeps its times as long as it says the same."""
    before: Object = next(
        (
            each
            for each in (deployment.get("status") or {}).get("conditions") or []
            if each["type"] == condition["type"]
        ),
        {},
    )
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    same = before.get("status") == condition["status"]
    unchanged = same and before.get("reason") == condition["reason"]
    return {
        **condition,
        "lastUpdateTime": before["lastUpdateTime"] if unchanged else moment,
        "lastTransitionTime": before["lastTransitionTime"] if same else moment,
    }
