"""Subresources that are no plain part of their object: scale, binding, eviction, finalize."""

from __future__ import annotations

from typing import Any

from harness.kubeapi import decoding, status
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.kinds import Kind, ScalePaths
from harness.kubeapi.objects import Object, clone, timestamp
from harness.kubeapi.request import ResourcePath
from harness.kubeapi.selectors import selector_text
from harness.kubeapi.writes import Write, Written, patch


def _at(obj: Object, path: str) -> Any:
    value: Any = obj
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def scale_of(obj: Object, paths: ScalePaths) -> Object:
    """The ``autoscaling/v1`` Scale that stands for a workload."""
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = _at(obj, paths.selector) if paths.selector else None
    text = selector_text(selector) if isinstance(selector, dict) else selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": {"replicas": _at(obj, paths.spec) or 0},
        "status": {
            "replicas": _at(obj, paths.status) or 0,
            **({"selector": text} if text else {}),
        },
    }


async def scale(cluster: Cluster, write: Write, paths: ScalePaths, change: Any) -> Object:
    """Set the number of replicas; ``change`` goes from the old Scale to the new one."""

    def resize(old: Object) -> Object:
        asked = change(scale_of(old, paths))
        replicas = (asked.get("spec") or {}).get("replicas", 0)
        if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
            cause = status.Cause(
                "FieldValueInvalid",
                f"Invalid value: {replicas}: must be greater than or equal to 0",
                "spec.replicas",
            )
            raise status.invalid("Scale", "autoscaling", write.name, [cause])
        revision = (asked.get("metadata") or {}).get("resourceVersion")
        if revision and revision != old["metadata"]["resourceVersion"]:
            raise status.stale(write.kind.plural, write.kind.group, write.name)
        new = clone(old)
        target = new
        *parents, last = paths.spec.strip(".").split(".")
        for part in parents:
            target = target.setdefault(part, {})
        target[last] = replicas
        return new

    written = await patch(cluster, write, resize)
    return scale_of(written.obj, paths)


async def bind(cluster: Cluster, write: Write, data: Any) -> Object:
    """Put a pod on a node: the scheduler's only write."""
    target = (data.get("target") if isinstance(data, dict) else None) or {}
    node = target.get("name")
    if not node:
        raise status.ApiError(500, "", "target.name: Required value")

    def assign(old: Object) -> Object:
        if old["metadata"].get("deletionTimestamp"):
            why = f"pod {write.name} is being deleted, cannot be assigned to a host"
            raise status.conflict("pods/binding", "", write.name, why)
        if (old.get("spec") or {}).get("nodeName"):
            why = f'pod {write.name} is already assigned to node "{old["spec"]["nodeName"]}"'
            raise status.conflict("pods/binding", "", write.name, why)
        new = clone(old)
        new["spec"]["nodeName"] = node
        conditions = new.setdefault("status", {}).setdefault("conditions", [])
        conditions[:] = [each for each in conditions if each["type"] != "PodScheduled"]
        conditions.append(
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": timestamp()}
        )
        return new

    await patch(cluster, write, assign)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def finalize(cluster: Cluster, write: Write, data: Any) -> Written:
    """Replace a namespace's ``spec.finalizers``; with the last one the namespace goes."""
    proposed = decoding.envelope(write.kind, data)
    finalizers = (proposed.get("spec") or {}).get("finalizers") or []

    def replaced(old: Object) -> Object:
        revision = (proposed.get("metadata") or {}).get("resourceVersion")
        if revision and revision != old["metadata"]["resourceVersion"]:
            raise status.stale("namespaces", "", write.name)
        return {**clone(old), "spec": {"finalizers": finalizers}}

    return await patch(cluster, write, replaced)


def needs(kind: Kind, path: ResourcePath) -> None:
    """Raises 404 when the kind has no such subresource."""
    known = {*kind.subresources}
    known |= {"status"} if kind.has_status else set()
    known |= {"scale"} if kind.scale else set()
    if not path.subresource or path.subresource in known:
        return
    if kind.builtin:
        raise status.no_such_path()
    raise status.not_found(kind.plural, kind.group, path.name)
