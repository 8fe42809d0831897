"""What a watch of the fake API tells."""

from __future__ import annotations

import copy

from spiderpool.kube.api import Object
from spiderpool.kube.resources import Resource
from spiderpool.testing.selectors import Matches


def change_event(
    version: int, before: Object | None, after: Object | None, chosen: Matches
) -> Object | None:
    """What a watch tells of a change; one out of its selection looks like a deletion."""
    was, is_now = before is not None and chosen(before), after is not None and chosen(after)
    if is_now:
        return {"type": "MODIFIED" if was else "ADDED", "object": copy.deepcopy(after)}
    if not was or before is None:
        return None
    last = copy.deepcopy(before)
    last["metadata"]["resourceVersion"] = str(version)
    return {"type": "DELETED", "object": last}


def bookmark_event(resource: Resource, version: int) -> Object:
    """Nothing changed up to that version (Kubernetes "API Concepts", Watch bookmarks)."""
    metadata = {"resourceVersion": str(version), "creationTimestamp": None}
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
    return {"type": "BOOKMARK", "object": obj}
