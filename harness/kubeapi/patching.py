"""The body of a PATCH as a function from the stored object to the wanted one."""

from __future__ import annotations

from typing import Any

from harness.kubeapi import decoding, status
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object, clone
from harness.kubeapi.patch.json_patch import apply_json_patch
from harness.kubeapi.patch.merge_patch import merge
from harness.kubeapi.patch.strategic import merge_by_schema
from harness.kubeapi.writes import Change

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def media_type(header: str) -> str:
    return header.partition(";")[0].strip()


def check_media(kind: Kind, content_type: str) -> None:
    """Raises 415 for what is no patch, or none of this kind."""
    known = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
    media = media_type(content_type)
    if media not in (*known, STRATEGIC_PATCH):
        raise status.unsupported_patch()
    if media == STRATEGIC_PATCH and not kind.builtin:
        raise status.unsupported_media_type(known)


def change_of(kind: Kind, content_type: str, body: bytes) -> Change:
    """JSON, merge and strategic patches; raises 400."""
    media = media_type(content_type)
    data: Any = decoding.parse(body, "application/json")
    if media == JSON_PATCH:
        return lambda old: apply_json_patch(old, data)
    if not isinstance(data, dict):
        raise status.bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}"
        )
    patch: Object = data
    if media == MERGE_PATCH:
        return lambda old: merge(clone(old), patch)
    return lambda old: _same_kind(old, merge_by_schema(kind.schema, clone(old), patch))


def _same_kind(old: Object, wanted: Object) -> Object:
    """A strategic patch changes a typed object, whose kind is not among its fields."""
    own = {name: old[name] for name in ("apiVersion", "kind") if isinstance(wanted.get(name), str)}
    return {**wanted, **own}
