"""Create, update and patch: from plain data to a stored object."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from harness.kubeapi import causes, decoding, names, status
from harness.kubeapi.admission import Attempt, Operation
from harness.kubeapi.builtin import defaults, rules
from harness.kubeapi.builtin.services import inherit
from harness.kubeapi.builtin.types import zero_of
from harness.kubeapi.cel.rules import checked_rules
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, clone, generated_name, meta, timestamp
from harness.kubeapi.patch.managers import Manager, after_update, entries, managers_of
from harness.kubeapi.revising import (
    BINDING,
    check_target,
    check_uid,
    created,
    finalizer_causes,
    revised,
)
from harness.kubeapi.schema.validate import validate

_TRIES = 5
Change = Callable[[Object], Any]
"""From the stored object to the proposed one; it may return the object itself changed."""


@dataclass(frozen=True, slots=True)
class Write:
    """What is written and how; ``name`` is empty for a creation with ``generateName``.

    ``manager`` is who owns what is written, ``field_manager`` what the client calls itself.
    ``warnings`` is filled with what the client is to hear, whatever becomes of its request.
    """

    kind: Kind
    namespace: str
    name: str
    subresource: str = ""
    dry_run: bool = False
    validation: str = ""
    manager: str = "unknown"
    field_manager: str = ""
    warnings: list[str] = field(default_factory=list)

    def warn(self, texts: Iterable[str]) -> None:
        self.warnings.extend(text for text in texts if text not in self.warnings)


@dataclass(frozen=True, slots=True)
class Written:
    """The object as it is now; ``created`` is true when it was not there before."""

    obj: Object
    created: bool = False


async def create(
    cluster: Cluster, write: Write, data: Any, managers: list[Manager] | None = None
) -> Written:
    """POST, or an apply of something new, which brings its ``managers``. Raises ApiError."""
    kind = write.kind
    obj = decoded(write, data)
    metadata = meta(obj)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated_name(metadata["generateName"])
    name = metadata.setdefault("name", "")
    revision = metadata.get("resourceVersion") or ""
    if revision.isascii() and revision.isdigit() and int(revision):
        message = "resourceVersion should not be set on objects to be created"
        raise status.ApiError(500, "", message)
    cluster.check_namespace(kind, write.namespace, name)
    if kind.builtin:
        defaults.set_defaults(obj)
    obj = created(kind, obj)
    _track(write, None, obj, managers)
    if kind.bucket == "pods.":
        defaults.admit_new_pod(obj)
    attempt = Attempt(
        Operation.CREATE, kind, write.namespace, name, obj, None,
        dry_run=write.dry_run, field_manager=write.field_manager,
    )  # fmt: skip
    obj = await _admitted(cluster, write, attempt)
    _check(kind, obj, None)
    write.warn(await cluster.admission.check(replace(attempt, obj=obj)))
    found = cluster.store.get(kind.bucket, (write.namespace, name))
    if found is not None:
        going = bool(found["metadata"].get("deletionTimestamp"))
        raise status.already_exists(kind.plural, kind.group, name, going=going)
    cluster.check_namespace(kind, write.namespace, name)
    _complete(cluster, kind, obj, None)
    if not write.dry_run:
        obj = cluster.commit(kind, None, obj)
    return Written(obj, created=True)


def decoded(write: Write, data: Any) -> Object:
    """The object that was sent, in its namespace. Raises 400."""
    wrapped = decoding.envelope(write.kind, data)
    try:
        obj, warnings = decoding.conform(write.kind, wrapped, write.validation)
    except decoding.Unfit as unfit:
        raise decoding.unfit_object(write.kind, wrapped, unfit) from None
    write.warn(warnings)
    place(write, obj)
    return obj


def place(write: Write, obj: Object) -> None:
    """Put the path's namespace into the object; raises 400 when it names another."""
    metadata = meta(obj)
    if not write.kind.namespaced:
        metadata.pop("namespace", None)
        return
    named = metadata.get("namespace")
    if named and named != write.namespace:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata["namespace"] = write.namespace


async def update(cluster: Cluster, write: Write, data: Any) -> Written:
    """PUT. Raises ApiError."""
    kind = write.kind
    proposed = decoded(write, data)
    check_name(write, proposed)
    absent = cluster.store.get(kind.bucket, (write.namespace, write.name)) is None
    if absent and kind.create_on_update:
        check_uid(kind, write.name, proposed["metadata"].get("uid") or "", "")
    if absent and kind.create_on_update and not write.subresource:
        proposed["metadata"].pop("resourceVersion", None)
        return await create(cluster, write, proposed)

    def propose(old: Object) -> Object:
        check_target(kind, old, proposed)
        return clone(proposed)

    return await revise(cluster, write, propose)


def check_name(write: Write, proposed: Object) -> None:
    named = proposed["metadata"].get("name")
    if not named:
        raise status.bad_request(
            f"the name of the object ({write.name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if named != write.name:
        raise status.bad_request(
            f"the name of the object ({named}) does not match the name on the URL ({write.name})"
        )


def check_same(write: Write, old: Object, proposed: Object) -> None:
    """A patch of another object's UID is invalid; raises 422."""
    uid = proposed["metadata"].get("uid")
    if uid and uid != old["metadata"]["uid"]:
        cause = causes.invalid_value("metadata.uid", uid, "field is immutable")
        raise status.invalid(write.kind.name, write.kind.group, write.name, [cause])


async def patch(cluster: Cluster, write: Write, change: Change) -> Written:
    """PATCH by a function from the stored object to the wanted one. Raises ApiError."""
    kind = write.kind

    def propose(old: Object) -> Object:
        wanted = change(old)
        try:
            wrapped = decoding.identified(kind, wanted)
            proposed, warnings = decoding.conform(kind, wrapped, write.validation)
        except decoding.Unfit as unfit:
            raise decoding.unfit_patch(wanted, unfit) from None
        write.warn(warnings)
        place(write, proposed)
        check_name(write, proposed)
        check_same(write, old, proposed)
        asked = proposed["metadata"].get("resourceVersion")
        if asked and asked != old["metadata"]["resourceVersion"]:
            raise status.stale(kind.plural, kind.group, write.name)
        return proposed

    return await revise(cluster, write, propose)


async def revise(
    cluster: Cluster, write: Write, propose: Change, managers: list[Manager] | None = None
) -> Written:
    """Propose and admit until the stored object is still the one that was proposed upon.

    ``managers`` is filled by ``propose`` when it knows them better than a comparison would.
    """
    kind = write.kind
    for _ in range(_TRIES):
        old = cluster.get(kind, write.namespace, write.name)
        proposed = propose(old)
        if kind.builtin:
            defaults.set_defaults(proposed)
        new = revised(kind, old, proposed, write.subresource)
        _track(write, old, new, managers)
        if kind.bucket == "daemonsets.apps":
            defaults.count_templates(new, old)
        if kind.bucket == "services.":
            inherit(old, new)
        attempt = Attempt(
            Operation.UPDATE, kind, write.namespace, write.name, new, old,
            write.subresource, write.dry_run, write.field_manager,
        )  # fmt: skip
        new = await _admitted(cluster, write, attempt)
        _check(kind, new, old, write.subresource)
        write.warn(await cluster.admission.check(replace(attempt, obj=new)))
        if cluster.store.get(kind.bucket, (write.namespace, write.name)) is None:
            raise status.not_found(kind.plural, kind.group, write.name)
        if cluster.get(kind, write.namespace, write.name) != old:
            continue
        _complete(cluster, kind, new, old)
        if not write.dry_run:
            new = cluster.commit(kind, old, new)
        return Written(new)
    raise status.stale(kind.plural, kind.group, write.name)


def _track(write: Write, old: Object | None, new: Object, managers: list[Manager] | None) -> None:
    """Say in ``managedFields`` who owns what; an empty list from the client begins anew."""
    metadata = new["metadata"]
    asked = metadata.get("managedFields")
    if managers is None:
        stated = [] if asked in ([], [{}]) else managers_of(new) or managers_of(old or {})
        managers = after_update(write.kind, old, new, manager_of(write, "Update"), stated)
    metadata.pop("managedFields", None)
    tracked = entries(managers)
    if tracked:
        metadata["managedFields"] = tracked


def manager_of(write: Write, operation: str) -> Manager:
    return Manager(write.manager, operation, write.kind.api_version, write.subresource, timestamp())


async def _admitted(cluster: Cluster, write: Write, attempt: Attempt) -> Object:
    """The object of the attempt as webhooks change it."""
    assert attempt.obj is not None
    changed, warnings = await cluster.admission.change(attempt)
    write.warn(warnings)
    if changed is None or changed is attempt.obj:
        return attempt.obj
    try:
        return decoding.conform(attempt.kind, changed, "Ignore")[0]
    except decoding.Unfit as unfit:
        raise decoding.unfit_object(attempt.kind, changed, unfit) from None


def _check(kind: Kind, obj: Object, old: Object | None, subresource: str = "") -> None:
    """Raises 422 with everything that is wrong."""
    found = names.metadata_causes(kind, obj)
    before = () if old is None else (old,)
    if old is not None:
        found += finalizer_causes(old, obj)
    if kind.builtin:
        found += rules.field_causes(obj, None if subresource == BINDING else old)
    elif subresource == "status":
        found += _status_causes(kind, obj, old)
    else:
        broken = validate(kind.schema, obj)
        found += broken + checked_rules(kind.schema, obj, before, broken)
    if found:
        raise status.invalid(kind.name, kind.group, obj["metadata"]["name"], found)


def _status_causes(kind: Kind, obj: Object, old: Object | None) -> list[status.Cause]:
    """A write of the status answers for nothing else; messages speak from inside of it."""
    schema = (kind.schema.get("properties") or {}).get("status") or {}
    if "status" not in obj:
        return []
    before = (old["status"],) if old and "status" in old else ()
    new = obj["status"]
    broken = validate(schema, new)
    found = broken + checked_rules(schema, new, before, broken)
    return [replace(cause, field=f"status.{cause.field}".rstrip(".")) for cause in found]


def _complete(cluster: Cluster, kind: Kind, obj: Object, old: Object | None) -> None:
    """What needs the server's state or the object's UID: a Service's addresses, first phases."""
    if old is None and kind.bucket == "jobs.batch":
        defaults.complete_new_job(obj)
    if old is None and kind.bucket == "nodes.":
        defaults.taint_new_node(obj)
    if kind.bucket == "services.":
        cluster.services.complete(old, obj)
    if old is None and kind.has_status and kind.builtin:
        obj["status"] = zero_of(kind.schema["properties"]["status"]) | _first_status(kind, obj)


def _first_status(kind: Kind, obj: Object) -> Object:
    """What the status of a new object says before anyone wrote it."""
    if kind.bucket == "pods.":
        return {"phase": "Pending", "qosClass": _quality(obj)}
    return {"phase": "Active"} if kind.bucket == "namespaces." else {}


def _quality(pod: Object) -> str:
    """The pod's class of service: all limits equal to requests, some, or none."""
    resources = [container.get("resources") or {} for container in pod["spec"]["containers"]]
    if not any(each.get("limits") or each.get("requests") for each in resources):
        return "BestEffort"
    for each in resources:
        limits = each.get("limits") or {}
        if not {"cpu", "memory"} <= limits.keys() or limits != each.get("requests"):
            return "Burstable"
    return "Guaranteed"
