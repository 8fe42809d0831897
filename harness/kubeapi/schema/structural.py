"""Custom resources: pruning and defaulting by their structural schema.

``metadata``, ``apiVersion`` and ``kind`` are the server's own and never touched here.
Fields of embedded resources keep their metadata too.
"""

from __future__ import annotations

from typing import Any

import orjson

from harness.kubeapi.kinds import Schema

_ENVELOPE = ("apiVersion", "kind", "metadata")


def preserves(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


def prune(schema: Schema, obj: dict[str, Any]) -> list[str]:
    """Remove from ``obj``, in place, what the schema does not know; answers the paths."""
    removed: list[str] = []
    _prune_object(schema, obj, "", removed, _ENVELOPE)
    return removed


def _prune(schema: Schema, value: Any, path: str, removed: list[str]) -> None:
    if isinstance(value, dict):
        kept = _ENVELOPE if schema.get("x-kubernetes-embedded-resource") else ()
        _prune_object(schema, value, path, removed, kept)
    elif isinstance(value, list):
        items = schema.get("items")
        if items:
            for index, item in enumerate(value):
                _prune(items, item, f"{path}[{index}]", removed)


def _prune_object(
    schema: Schema, obj: dict[str, Any], path: str, removed: list[str], kept: tuple[str, ...]
) -> None:
    properties = schema.get("properties") or {}
    rest = schema.get("additionalProperties")
    for name in list(obj):
        inner = f"{path}.{name}" if path else name
        if name in kept:
            continue
        if name in properties:
            _prune(properties[name], obj[name], inner, removed)
        elif isinstance(rest, dict):
            _prune(rest, obj[name], inner, removed)
        elif not (preserves(schema) or rest is True):
            del obj[name]
            removed.append(inner)


def fill_defaults(schema: Schema, value: Any) -> None:
    """Set, in place, missing fields that have a default.

    A null is replaced where the schema has a default and does not allow null, and removed
    where it has none and does not allow null.
    """
    if isinstance(value, dict):
        _fill_object(schema, value)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            fill_defaults(schema["items"], item)


def _fill_object(schema: Schema, obj: dict[str, Any]) -> None:
    for name, field in (schema.get("properties") or {}).items():
        absent = name not in obj
        refused_null = not absent and obj[name] is None and not field.get("nullable")
        if (absent or refused_null) and "default" in field:
            obj[name] = orjson.loads(orjson.dumps(field["default"]))
        elif refused_null:
            del obj[name]
        if name in obj:
            fill_defaults(field, obj[name])
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        for name in obj.keys() - (schema.get("properties") or {}).keys():
            if obj[name] is None and not rest.get("nullable"):
                del obj[name]
            else:
                fill_defaults(rest, obj[name])
