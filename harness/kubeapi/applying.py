"""Server-side apply: PATCH with a configuration that its manager wants to hold."""

from __future__ import annotations

from typing import Any

from harness.kubeapi import causes, decoding, status
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, clone
from harness.kubeapi.patch.managers import Manager, after_apply, first_applied
from harness.kubeapi.writes import Write, Written, check_name, create, manager_of, place, revise


async def apply(cluster: Cluster, write: Write, data: Any, *, force: bool) -> Written:
    """Create the object or change it to agree with the configuration. Raises ApiError."""
    config = _configuration(write, data)
    me = manager_of(write, "Apply")
    if cluster.store.get(write.kind.bucket, (write.namespace, write.name)) is None:
        written = await _create(cluster, write, config, me)
        return Written(written.obj, [], created=True)
    managers: list[Manager] = []

    def propose(old: Object) -> Object:
        _check_target(write.kind, old, config)
        applied = after_apply(write.kind, clone(old), config, me, force=force)
        managers[:] = applied.managers
        try:
            return decoding.conform(write.kind, applied.obj, "Ignore")[0]
        except decoding.Unfit as unfit:
            raise decoding.unfit_object(write.kind, unfit) from None

    return await revise(cluster, write, propose, [], managers)


def check_query(manager: str, *, applies: bool, forced: bool) -> None:
    """Raises 422: an apply needs to know who applies, and nothing else can be forced."""
    if applies and not manager:
        cause = causes.required("fieldManager", "is required for apply patch")
        raise status.bad_options("Patch", cause)
    if forced and not applies:
        detail = "may not be specified for non-apply patch"
        raise status.bad_options("Patch", causes.forbidden_field("force", detail))


def _configuration(write: Write, data: Any) -> Object:
    """What was sent, without defaults: they are nobody's wish."""
    if isinstance(data, dict) and not (data.get("apiVersion") and data.get("kind")):
        raise status.bad_request("invalid object type: /, Kind=")
    wrapped = decoding.envelope(write.kind, data)
    try:
        config, warnings = decoding.conform(write.kind, wrapped, "Warn", defaults=False)
    except decoding.Unfit as unfit:
        raise _untyped(write, str(unfit)) from None
    if warnings:
        field = warnings[0].split('"')[1]
        raise _untyped(write, f".{field}: field not declared in schema")
    if config["metadata"].get("managedFields"):
        raise status.bad_request("metadata.managedFields must be nil")
    config["metadata"].setdefault("name", write.name)
    place(write, config)
    check_name(write, config)
    return config


def _untyped(write: Write, why: str) -> status.ApiError:
    """A configuration with fields that the kind lacks can have no owner, in any mode."""
    kind = write.kind
    about = f"{write.namespace}/{write.name}; {kind.group}/{kind.version}, Kind={kind.name}"
    message = f"failed to create typed patch object ({about}): {why}"
    return status.ApiError(500, "", message)


async def _create(cluster: Cluster, write: Write, config: Object, me: Manager) -> Written:
    if write.subresource:
        raise status.not_found(write.kind.plural, write.kind.group, write.name)
    if config["metadata"].get("uid"):
        why = "uid mismatch: the provided object specified a uid, and no existing object was found"
        raise status.conflict(write.kind.plural, write.kind.group, write.name, why)
    return await create(cluster, write, config, [first_applied(write.kind, config, me)])


def _check_target(kind: Kind, old: Object, config: Object) -> None:
    asked, name = config["metadata"], old["metadata"]["name"]
    if asked.get("resourceVersion") not in (None, "", old["metadata"]["resourceVersion"]):
        raise status.stale(kind.plural, kind.group, name)
    uid = asked.get("uid")
    if uid and uid != old["metadata"]["uid"]:
        cause = causes.invalid_value("metadata.uid", uid, "field is immutable")
        raise status.invalid(kind.name, kind.group, name, [cause])
