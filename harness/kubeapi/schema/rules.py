"""The rules of structural schemas that the API server demands of a definition (v1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.kubeapi import causes
from harness.kubeapi.cel.rules import definition_causes
from harness.kubeapi.kinds import Schema
from harness.kubeapi.schema.structural import preserves
from harness.kubeapi.schema.validate import validate
from harness.kubeapi.status import Cause

_TYPES = ("array", "boolean", "integer", "number", "object", "string")


def structural_causes(schema: Schema, field: str) -> Iterator[Cause]:
    """What keeps a version's schema from being structural; ``field`` is where it stands."""
    if schema.get("type") != "object":
        yield causes.invalid_value(
            f"{field}.type", schema.get("type", ""), "must be object at the root"
        )
    yield from _schema(schema, field)


def _schema(schema: Schema, field: str) -> Iterator[Cause]:
    yield from _type_causes(schema, field)
    yield from _list_causes(schema, field)
    yield from definition_causes(schema, field)
    if "default" in schema:
        yield from validate(schema, schema["default"], f"{field}.default")
    if schema.get("properties") and schema.get("additionalProperties"):
        detail = "additionalProperties and properties are mutual exclusive"
        yield causes.forbidden_field(f"{field}.additionalProperties", detail)
    for name, inner in (schema.get("properties") or {}).items():
        yield from _schema(inner, f"{field}.properties[{name}]")
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        yield from _schema(rest, f"{field}.additionalProperties")
    items = schema.get("items")
    if isinstance(items, dict):
        yield from _schema(items, f"{field}.items")


def _type_causes(schema: Schema, field: str) -> Iterator[Cause]:
    kind = schema.get("type")
    loose = preserves(schema) or schema.get("x-kubernetes-int-or-string")
    if not kind and not loose:
        yield causes.required(f"{field}.type", "must not be empty for specified object fields")
    elif kind and kind not in _TYPES:
        yield causes.unsupported(f"{field}.type", kind, _TYPES)
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden_field(f"{field}.uniqueItems", detail)


def _list_causes(schema: Schema, field: str) -> Iterator[Cause]:
    if schema.get("type") == "array" and not schema.get("items"):
        yield causes.required(f"{field}.items", "must be specified")
    list_type, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    if list_type == "map" and not keys:
        detail = "must not be empty if x-kubernetes-list-type is map"
        yield causes.required(f"{field}.x-kubernetes-list-map-keys", detail)
    if keys and list_type != "map":
        detail = "must be map if x-kubernetes-list-map-keys is non-empty"
        value: Any = list_type or ""
        yield causes.invalid_value(f"{field}.x-kubernetes-list-type", value, detail)
