"""Questions about pods that several controllers ask, and pods made from templates."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import datetime, timedelta

from harness.nodes.control.owners import reference_to
from spiderpool.kube.api import Object
from spiderpool.kube.resources import Resource

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_FINISHED = ("Succeeded", "Failed")


def phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_terminating(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def labels_of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def is_active(pod: Object) -> bool:
    """Neither finished nor on its way out."""
    return phase(pod) not in _FINISHED and not is_terminating(pod)


def is_ready(pod: Object) -> bool:
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in (pod.get("status") or {}).get("conditions") or []
    )


def is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Ready for at least so long."""
    if not is_ready(pod):
        return False
    if not min_ready_seconds:
        return True
    conditions = (pod.get("status") or {}).get("conditions") or []
    since = next(each.get("lastTransitionTime") for each in conditions if each["type"] == "Ready")
    ready_at = datetime.fromisoformat(str(since).replace("Z", "+00:00"))
    return ready_at + timedelta(seconds=min_ready_seconds) <= now


def dispensable_first(pods: list[Object]) -> list[Object]:
    """The order in which pods are given up: unplaced, pending, unready, then youngest."""
    by_age = sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    return sorted(
        by_age,
        key=lambda pod: (
            bool((pod.get("spec") or {}).get("nodeName")),
            phase(pod) == "Running",
            is_ready(pod),
        ),
    )


def template_hash(template: Object) -> str:
    """A short name for a template: equal templates, and only they, have the same."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")
    letters: list[str] = []
    while len(letters) < 10:
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


def pod_of(resource: Resource, owner: Object, template: Object, **metadata: object) -> Object:
    """A pod from ``owner``'s template; ``metadata`` has its name or ``generateName``.

    Labels that are given are added to the template's.
    """
    made = copy.deepcopy(template)
    own = made.get("metadata") or {}
    labels = {**(own.get("labels") or {}), **(metadata.pop("labels", None) or {})}  # type: ignore[dict-item]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata,
            "namespace": owner["metadata"]["namespace"],
            "labels": labels,
            "annotations": own.get("annotations") or {},
            "ownerReferences": [reference_to(resource, owner)],
        },
        "spec": made["spec"],
    }
