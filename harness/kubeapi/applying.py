"""Server-side apply: PATCH with a configuration that its manager wants to hold."""

from __future__ import annotations

from typing import Any

from harness.kubeapi import decoding, status
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, clone, key_of
from harness.kubeapi.patch.managers import Manager, after_apply, whole_schema
from harness.kubeapi.patch.typed import type_problems
from harness.kubeapi.writes import (
    Write,
    Written,
    check_name,
    check_same,
    create,
    manager_of,
    place,
    revise,
)


async def apply(cluster: Cluster, write: Write, data: Any, *, force: bool) -> Written:
    """Create the object or change it to agree with the configuration. Raises ApiError."""
    absent = cluster.store.get(write.kind.bucket, (write.namespace, write.name)) is None
    if absent and write.subresource:
        raise status.not_found(write.kind.plural, write.kind.group, write.name)
    config = _configuration(write, data)
    me = manager_of(write, "Apply")
    if absent:
        return await _create(cluster, write, config, me)
    managers: list[Manager] = []

    def propose(old: Object) -> Object:
        _check_target(write.kind, old, config)
        applied = after_apply(write.kind, clone(old), config, me, force=force)
        managers[:] = applied.managers
        wanted = _object_of(write, applied.obj)
        check_same(write, old, wanted)
        return wanted

    return await revise(cluster, write, propose, managers)


def _configuration(write: Write, data: Any) -> Object:
    """What was sent, as it is: defaults, and zeros that are left out, are nobody's wish."""
    if not isinstance(data, dict):
        raise status.bad_request("error decoding YAML: the data is no object")
    kind, version = write.kind, data.get("apiVersion")
    if not version or not data.get("kind"):
        told = str(version or "/") if "/" in str(version or "/") else f"/{version}"
        raise status.bad_request(f"invalid object type: {told}, Kind={data.get('kind') or ''}")
    if version != kind.api_version:
        raise status.bad_request(
            f"Incorrect version specified in apply patch. Specified patch version: {version}, "
            f"expected: {kind.api_version}"
        )
    config = decoding.envelope(kind, data)
    if _metadata(config).get("managedFields") is not None:
        raise status.bad_request("metadata.managedFields must be nil")
    problems = type_problems(whole_schema(kind), config)
    if problems:
        listed = problems[0] if len(problems) == 1 else "\n  ".join(["errors:", *problems])
        raise _untyped(write, config, "create typed patch object", listed)
    return config


def _object_of(write: Write, merged: Object) -> Object:
    """The merged configuration as an object of its kind."""
    try:
        obj = decoding.conform(write.kind, merged, "Ignore")[0]
    except decoding.Unfit as unfit:
        why = f"unable to convert unstructured object to {_type(write.kind)}: {unfit}"
        raise _untyped(write, merged, "convert new object", why) from None
    place(write, obj)
    check_name(write, obj)
    return obj


def _untyped(write: Write, obj: Object, step: str, why: str) -> status.ApiError:
    """A configuration that the kind's types do not fit can have no owner, in any mode."""
    namespace, name = key_of({"metadata": _metadata(obj)})
    about = f"{namespace}/{name}; {_type(write.kind)}"
    return status.ApiError(500, "", f"failed to {step} ({about}): {why}")


def _metadata(config: Object) -> Object:
    found = config.get("metadata")
    return found if isinstance(found, dict) else {}


def _type(kind: Kind) -> str:
    return f"{kind.group}/{kind.version}, Kind={kind.name}"


async def _create(cluster: Cluster, write: Write, config: Object, me: Manager) -> Written:
    applied = after_apply(write.kind, None, config, me, force=False)
    obj = _object_of(write, config)
    if obj["metadata"].get("uid"):
        why = "uid mismatch: the provided object specified a uid, and no existing object was found"
        raise status.conflict(write.kind.plural, write.kind.group, write.name, why)
    return await create(cluster, write, obj, applied.managers)


def _check_target(kind: Kind, old: Object, config: Object) -> None:
    asked, name = _metadata(config), old["metadata"]["name"]
    if asked.get("resourceVersion") not in (None, "", old["metadata"]["resourceVersion"]):
        raise status.stale(kind.plural, kind.group, name)
