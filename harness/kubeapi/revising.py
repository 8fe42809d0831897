"""How a written object becomes a stored one: what the client may set, what it may not. Pure.

A write to the object leaves its status alone, a write to its status leaves the rest alone;
identity and times belong to the server; ``generation`` counts changes of what is wanted.
"""

from __future__ import annotations

from harness.kubeapi import causes, status
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, new_uid, timestamp
from harness.kubeapi.status import Cause

BINDING = "binding"
"""The subresource that writes a pod's node, which nothing else may, and its condition."""

_SERVER_OWNED = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)


def created(kind: Kind, obj: Object) -> Object:
    """The object with what the server gives to a new one; changes ``obj``'s metadata."""
    metadata = obj["metadata"]
    for name in (*_SERVER_OWNED, "resourceVersion"):
        metadata.pop(name, None)
    metadata["uid"] = new_uid()
    metadata["creationTimestamp"] = timestamp()
    if kind.has_generation:
        metadata["generation"] = 1
    if kind.has_status and "status" in obj:
        del obj["status"]
    return obj


def revised(kind: Kind, old: Object, proposed: Object, subresource: str) -> Object:
    """What ``proposed`` makes of ``old``; a fresh top level and fresh metadata."""
    if subresource == "status":
        result = {**old, "metadata": _status_metadata(kind, old, proposed)}
        result.pop("status", None)
        if proposed.get("status") is not None:
            result["status"] = proposed["status"]
    else:
        result = {**proposed, "metadata": dict(proposed["metadata"])}
        if kind.has_status and subresource != BINDING:
            result.pop("status", None)
            if "status" in old:
                result["status"] = old["status"]
    metadata, before = result["metadata"], old["metadata"]
    for name in _SERVER_OWNED:
        metadata.pop(name, None)
        if name in before:
            metadata[name] = before[name]
    metadata["resourceVersion"] = before["resourceVersion"]
    counted = kind.has_generation and subresource != BINDING
    if counted and _wanted(kind, result) != _wanted(kind, old):
        metadata["generation"] = before.get("generation", 0) + 1
    return result


def _status_metadata(kind: Kind, old: Object, proposed: Object) -> Object:
    """Custom resources keep all metadata; most built-in kinds let annotations and labels change."""
    kept = dict(old["metadata"])
    names = ["managedFields"] if not kind.builtin else ["annotations", "labels", "finalizers"]
    if kind.bucket == "deployments.apps":
        names.remove("labels")
    for name in names:
        kept.pop(name, None)
        if name in proposed["metadata"]:
            kept[name] = proposed["metadata"][name]
    return kept


def _wanted(kind: Kind, obj: Object) -> Object:
    """The part whose changes count: everything but metadata and a status that is apart.

    Of a Deployment the annotations count too, of an EndpointSlice all that a client can set.
    """
    ignored = {"metadata", "apiVersion", "kind"} | ({"status"} if kind.has_status else set())
    wanted = {name: value for name, value in obj.items() if name not in ignored}
    if kind.bucket == "deployments.apps":
        wanted["annotations"] = obj["metadata"].get("annotations")
    if kind.bucket == "endpointslices.discovery.k8s.io":
        hidden = ("resourceVersion", "generation", "managedFields")
        wanted["metadata"] = {
            name: value for name, value in obj["metadata"].items() if name not in hidden
        }
    return wanted


def finalizer_causes(old: Object, new: Object) -> list[Cause]:
    """No finalizer may be added to an object that is being deleted."""
    if not old["metadata"].get("deletionTimestamp"):
        return []
    before = old["metadata"].get("finalizers") or []
    added = [name for name in new["metadata"].get("finalizers") or [] if name not in before]
    if not added:
        return []
    listed = ", ".join(f'"{name}"' for name in added)
    detail = (
        "no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{listed}}}"
    )
    return [causes.forbidden_field("metadata.finalizers", detail)]


def check_target(kind: Kind, old: Object, proposed: Object) -> None:
    """Raises 409 or 422 when the proposal was made for another state or another object."""
    asked, name = proposed["metadata"], old["metadata"]["name"]
    revision = asked.get("resourceVersion")
    if revision and not (revision.isascii() and revision.isdigit()):
        message = f'strconv.ParseUint: parsing "{revision}": invalid syntax'
        raise status.ApiError(500, "", message)
    revision = "" if revision == "0" else revision
    if not revision and not kind.unconditional_update:
        cause = Cause(
            "FieldValueInvalid",
            "Invalid value: 0: must be specified for an update",
            "metadata.resourceVersion",
        )
        raise status.invalid(kind.plural, kind.group, name, [cause])
    check_uid(kind, name, asked.get("uid") or "", old["metadata"]["uid"])
    if revision and revision != old["metadata"]["resourceVersion"]:
        raise status.stale(kind.plural, kind.group, name)


def check_uid(kind: Kind, name: str, asked: str, found: str) -> None:
    """Raises 409; ``found`` is empty for an object that is not there."""
    if asked and asked != found:
        why = f"Precondition failed: UID in precondition: {asked}, UID in object meta: {found}"
        raise status.conflict(kind.plural, kind.group, name, why)
