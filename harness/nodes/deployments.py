"""Deployment -> ReplicaSet -> Pods: the two workload controllers that the page needs.

A change of the template brings the new ReplicaSet to full size first and empties the old
ones when the new pods are ready: maxSurge 100 %, maxUnavailable 0.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

from harness.nodes.owners import (
    Key,
    is_ready,
    key_of,
    owned_by,
    owner_reference,
    wakes,
    wakes_owner,
)
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import DEPLOYMENT, POD, REPLICASET

HASH_LABEL = "pod-template-hash"


class Deployments:
    """Reconciler of Deployments."""

    def __init__(self, client: Client, deployments: Informer, replicasets: Informer) -> None:
        self._client, self._deployments, self._replicasets = client, deployments, replicasets
        self.queue: WorkQueue[Key] = WorkQueue("deployments", self.reconcile)

    def start(self) -> None:
        """Follow Deployments and the ReplicaSets that they own."""
        self._deployments.subscribe(wakes(self.queue))
        self._replicasets.subscribe(wakes_owner(self.queue))

    async def reconcile(self, key: Key) -> None:
        """Make the ReplicaSet of the present template, size all of them, write the status."""
        deployment = self._deployments.get(key[1], key[0])
        if deployment is None or deployment["metadata"].get("deletionTimestamp"):
            return
        owned = owned_by(deployment, self._replicasets.all())
        revision = template_hash(deployment["spec"]["template"])
        current = next((rs for rs in owned if revision_of(rs) == revision), None)
        if current is None:
            wanted = replicaset_for(deployment, revision)
            current = await self._client.create(REPLICASET, wanted)
            self._replicasets.observe(current)
            owned.append(current)
        for replicaset, size in sizes(deployment, current, owned):
            await self._resize(replicaset, size)
        status = deployment_status(deployment, current, owned)
        if status != deployment.get("status"):
            body = deployment | {"status": status}
            self._deployments.observe(
                await self._client.update(DEPLOYMENT, body, subresource="status")
            )

    async def _resize(self, replicaset: Object, size: int) -> None:
        if replicaset["spec"].get("replicas") != size:
            namespace, name = key_of(replicaset)
            body = {"spec": {"replicas": size}}
            self._replicasets.observe(await self._client.patch(REPLICASET, name, body, namespace))


class ReplicaSets:
    """Reconciler of ReplicaSets."""

    def __init__(self, client: Client, replicasets: Informer, pods: Informer) -> None:
        self._client, self._replicasets, self._pods = client, replicasets, pods
        self.queue: WorkQueue[Key] = WorkQueue("replicasets", self.reconcile)

    def start(self) -> None:
        """Follow ReplicaSets and the Pods that they own."""
        self._replicasets.subscribe(wakes(self.queue))
        self._pods.subscribe(wakes_owner(self.queue))

    async def reconcile(self, key: Key) -> None:
        """Create missing pods, delete the youngest of too many, write the status."""
        replicaset = self._replicasets.get(key[1], key[0])
        if replicaset is None or replicaset["metadata"].get("deletionTimestamp"):
            return
        pods = [pod for pod in owned_by(replicaset, self._pods.all()) if not is_finished(pod)]
        size = replicaset["spec"].get("replicas", 1)
        for _ in range(size - len(pods)):
            pod = await self._client.create(POD, pod_for(replicaset))
            self._pods.observe(pod)
            pods.append(pod)
        for pod in pods[size:]:
            await self._remove(pod)
        status = replicaset_status(replicaset, pods[:size])
        if status != replicaset.get("status"):
            body = replicaset | {"status": status}
            self._replicasets.observe(
                await self._client.update(REPLICASET, body, subresource="status")
            )

    async def _remove(self, pod: Object) -> None:
        namespace, name = key_of(pod)
        try:
            await self._client.delete(POD, name, namespace, uid=pod["metadata"]["uid"])
        except NotFound:
            return


def template_hash(template: Object) -> str:
    """Ten hexadecimal digits that change with the template."""
    text = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:10]


def revision_of(obj: Object) -> str | None:
    """The template hash in an object's labels."""
    label: str | None = (obj["metadata"].get("labels") or {}).get(HASH_LABEL)
    return label


def replicaset_for(deployment: Object, revision: str) -> Object:
    """The ReplicaSet of the Deployment's present template, without pods yet."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    template = spec["template"]
    labels = (template["metadata"].get("labels") or {}) | {HASH_LABEL: revision}
    selector = spec["selector"]
    matched = (selector.get("matchLabels") or {}) | {HASH_LABEL: revision}
    return {
        "apiVersion": REPLICASET.api_version,
        "kind": REPLICASET.kind,
        "metadata": {
            "name": f"{metadata['name']}-{revision}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(deployment, DEPLOYMENT)],
        },
        "spec": {
            "replicas": 0,
            "selector": selector | {"matchLabels": matched},
            "template": template | {"metadata": template["metadata"] | {"labels": labels}},
        },
    }


def sizes(deployment: Object, current: Object, owned: list[Object]) -> list[tuple[Object, int]]:
    """Each ReplicaSet with the number of pods that it should have now."""
    wanted = deployment["spec"].get("replicas", 1)
    ready = (current.get("status") or {}).get("readyReplicas", 0)
    old = [rs for rs in owned if rs["metadata"]["uid"] != current["metadata"]["uid"]]
    emptied = [(rs, 0) for rs in old] if ready >= wanted else []
    return [(current, wanted), *emptied]


def deployment_status(deployment: Object, current: Object, owned: list[Object]) -> dict[str, Any]:
    """The status as the ReplicaSets report; transition times stay while a state stays."""

    def total(field: str) -> int:
        return sum((rs.get("status") or {}).get(field, 0) for rs in owned)

    wanted = deployment["spec"].get("replicas", 1)
    ready = total("readyReplicas")
    updated = (current.get("status") or {}).get("replicas", 0)
    status: dict[str, Any] = {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": total("replicas"),
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(wanted - ready, 0),
    }
    available = ready >= wanted
    done = available and updated == wanted == status["replicas"]
    before = {c["type"]: c for c in (deployment.get("status") or {}).get("conditions") or ()}
    status["conditions"] = [
        _condition("Available", available, _AVAILABLE[available], before),
        _condition("Progressing", True, _PROGRESSING[done], before),
    ]
    return {field: value for field, value in status.items() if value != 0 or field == "replicas"}


_AVAILABLE = {True: "MinimumReplicasAvailable", False: "MinimumReplicasUnavailable"}
_PROGRESSING = {True: "NewReplicaSetAvailable", False: "ReplicaSetUpdated"}


def _condition(kind: str, holds: bool, reason: str, before: dict[str, Any]) -> dict[str, Any]:
    old = before.get(kind)
    if old and old["status"] == str(holds) and old.get("reason") == reason:
        return dict(old)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": kind,
        "status": str(holds),
        "reason": reason,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
    }


def is_finished(pod: Object) -> bool:
    """Whether a pod has ended for good and is to be replaced."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def pod_for(replicaset: Object) -> Object:
    """A new pod of a ReplicaSet; the API server completes its name."""
    metadata, template = replicaset["metadata"], replicaset["spec"]["template"]
    return {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": (template.get("metadata") or {})
        | {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "ownerReferences": [owner_reference(replicaset, REPLICASET)],
        },
        "spec": template["spec"],
    }


def replicaset_status(replicaset: Object, pods: list[Object]) -> dict[str, Any]:
    """The status as the pods report it."""
    ready = sum(map(is_ready, pods))
    status = {
        "observedGeneration": replicaset["metadata"].get("generation", 1),
        "replicas": len(pods),
        "fullyLabeledReplicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
    }
    return {field: value for field, value in status.items() if value or field == "replicas"}
