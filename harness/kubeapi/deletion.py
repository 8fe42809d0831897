"""What a DELETE does to an object: remove it, or mark it and wait for others. Pure.

Waiting happens for finalizers, for a pod's grace period (its kubelet confirms with a grace
of 0), and for a namespace's contents.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.kubeapi import status
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, clone, timestamp

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_DEFAULT_POD_GRACE_SECONDS = 30


class Propagation(enum.StrEnum):
    """What becomes of the objects that the deleted one owns."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """``grace_seconds`` is None when the client leaves it to the object.

    ``waits`` is true for a client that wants to hear (202) that others go first.
    """

    grace_seconds: int | None = None
    uid: str = ""
    revision: str = ""
    propagation: Propagation | None = None
    dry_run: bool = False
    waits: bool = False


def check_preconditions(kind: Kind, obj: Object, uid: str, revision: str) -> None:
    """Raises 409 when the object is not the one that the client means."""
    metadata = obj["metadata"]
    for what, asked, found, guess in (
        ("UID", uid, metadata["uid"], "have been deleted and then recreated"),
        ("ResourceVersion", revision, metadata["resourceVersion"], "have been modified"),
    ):
        if asked and asked != found:
            why = (
                f"the {what} in the precondition ({asked}) does not match the {what} in record "
                f"({found}). The object might {guess}"
            )
            raise status.conflict(kind.name, kind.group, metadata["name"], why)


def is_finished(obj: Object) -> bool:
    """The object is being deleted, and nothing holds it any more."""
    metadata = obj["metadata"]
    held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
    held = held or (obj.get("kind") == "Namespace" and (obj.get("spec") or {}).get("finalizers"))
    return bool(metadata.get("deletionTimestamp")) and not held


def marked(kind: Kind, obj: Object, options: DeleteOptions, now: datetime) -> Object:
    """The object as a DELETE leaves it; ``is_finished`` says whether it goes at once."""
    result = clone(obj)
    metadata = result["metadata"]
    _set_policy_finalizer(metadata, options.propagation or _default_policy(kind, metadata))
    grace = _grace_seconds(kind, result, options)
    shortened = grace < (metadata.get("deletionGracePeriodSeconds") or 0)
    again = bool(metadata.get("deletionTimestamp"))
    if again and not shortened:
        return result
    metadata["deletionTimestamp"] = timestamp(now + timedelta(seconds=grace))
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation") and not again:
        metadata["generation"] += 1
    if kind.name == "Namespace" and not kind.group:
        result.setdefault("status", {})["phase"] = "Terminating"
    return result


def _default_policy(kind: Kind, metadata: Object) -> Propagation | None:
    """Where neither client nor object say what becomes of the dependents."""
    said = {FOREGROUND, ORPHAN} & set(metadata.get("finalizers") or ())
    return Propagation.ORPHAN if kind.orphans and not said else None


def _set_policy_finalizer(metadata: Object, policy: Propagation | None) -> None:
    if policy is None:
        return
    finalizers = [
        name for name in metadata.get("finalizers") or [] if name not in (FOREGROUND, ORPHAN)
    ]
    if policy is Propagation.FOREGROUND:
        finalizers.append(FOREGROUND)
    elif policy is Propagation.ORPHAN:
        finalizers.append(ORPHAN)
    metadata["finalizers"] = finalizers
    if not finalizers:
        del metadata["finalizers"]


def _grace_seconds(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    """Only pods that run somewhere are given time."""
    if kind.name != "Pod" or kind.group:
        return 0
    spec, phase = obj.get("spec") or {}, (obj.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    if options.grace_seconds is not None:
        return options.grace_seconds
    return int(spec.get("terminationGracePeriodSeconds", _DEFAULT_POD_GRACE_SECONDS))
