"""The rules of structural schemas that the API server demands of a definition (v1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.kubeapi import causes
from harness.kubeapi.cel.rules import definition_causes
from harness.kubeapi.kinds import Schema
from harness.kubeapi.schema.structural import preserves
from harness.kubeapi.schema.validate import compiled, validate
from harness.kubeapi.status import Cause

_LIST_TYPES = ("atomic", "set", "map")
_MAP_TYPES = ("atomic", "granular")
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
    yield from _unsupported_causes(schema, field)
    yield from _list_causes(schema, field)
    yield from definition_causes(schema, field)
    if "default" in schema:
        yield from validate(schema, schema["default"], f"{field}.default")
    if schema.get("properties") and schema.get("additionalProperties"):
        detail = "additionalProperties and properties are mutual exclusive"
        yield causes.forbidden_field(f"{field}.additionalProperties", detail)
    for name, inner in (schema.get("properties") or {}).items():
        yield from _schema(inner, f"{field}.properties[{name}]")
    for name in ("additionalProperties", "items"):
        if isinstance(schema.get(name), dict):
            yield from _schema(schema[name], f"{field}.{name}")


def _type_causes(schema: Schema, field: str) -> Iterator[Cause]:
    kind = schema.get("type")
    loose = preserves(schema) or schema.get("x-kubernetes-int-or-string")
    if not kind and not loose:
        yield causes.required(f"{field}.type", "must not be empty for specified object fields")
    elif kind and kind not in _TYPES:
        yield causes.unsupported(f"{field}.type", kind, _TYPES)
    map_type = schema.get("x-kubernetes-map-type")
    if map_type and map_type not in _MAP_TYPES:
        yield causes.unsupported(f"{field}.x-kubernetes-map-type", map_type, _MAP_TYPES)
    if map_type and kind != "object":
        detail = "must be object if x-kubernetes-map-type is specified"
        yield causes.invalid_value(f"{field}.type", kind or "", detail)


def _unsupported_causes(schema: Schema, field: str) -> Iterator[Cause]:
    """What OpenAPI has, and structural schemas have not."""
    for name in ("id", "$ref"):
        if schema.get(name):
            yield causes.forbidden_field(f"{field}.{name}", f"{name} is not supported")
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden_field(f"{field}.uniqueItems", detail)
    if isinstance(schema.get("items"), list):
        detail = "items must be a schema object and not an array"
        yield causes.forbidden_field(f"{field}.items", detail)
    pattern = schema.get("pattern")
    try:
        compiled(pattern or "")
    except re.error as error:
        detail = f"must be a valid regular expression, but isn't: {error}"
        yield causes.invalid_value(f"{field}.pattern", pattern, detail)


def _list_causes(schema: Schema, field: str) -> Iterator[Cause]:
    list_type, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    if schema.get("type") == "array" and not schema.get("items"):
        yield causes.required(f"{field}.items", "must be specified")
    if list_type and list_type not in _LIST_TYPES:
        yield causes.unsupported(f"{field}.x-kubernetes-list-type", list_type, _LIST_TYPES)
    if list_type and schema.get("type") != "array":
        detail = "must be array if x-kubernetes-list-type is specified"
        yield causes.invalid_value(f"{field}.type", schema.get("type") or "", detail)
    if list_type == "map" and not keys:
        detail = "must not be empty if x-kubernetes-list-type is map"
        yield causes.required(f"{field}.x-kubernetes-list-map-keys", detail)
    if keys and list_type != "map":
        detail = "must be map if x-kubernetes-list-map-keys is non-empty"
        yield causes.invalid_value(f"{field}.x-kubernetes-list-type", list_type or "", detail)
    items = schema.get("items")
    if list_type in ("map", "set") and isinstance(items, dict):
        yield from _item_causes(items, list_type, f"{field}.items")
    if list_type == "map" and isinstance(items, dict):
        yield from _key_causes(items, keys or (), field)


def _item_causes(items: Schema, list_type: str, field: str) -> Iterator[Cause]:
    """Items that are told apart have an identity, and are no mere nulls."""
    if items.get("nullable"):
        detail = f"cannot be nullable when x-kubernetes-list-type is {list_type}"
        yield causes.forbidden_field(f"{field}.nullable", detail)
    kind, map_type = items.get("type"), items.get("x-kubernetes-map-type")
    if list_type == "map" and kind != "object":
        detail = "must be object if parent array's x-kubernetes-list-type is map"
        yield causes.invalid_value(f"{field}.type", kind or "", detail)
    if list_type == "set" and kind == "object" and map_type != "atomic":
        detail = "must be atomic as item of a list with x-kubernetes-list-type=set"
        yield causes.invalid_value(f"{field}.x-kubernetes-map-type", map_type, detail)


def _key_causes(items: Schema, keys: Sequence[str], field: str) -> Iterator[Cause]:
    properties, required = items.get("properties") or {}, items.get("required") or ()
    if items.get("type") == "object" and any(key not in properties for key in keys):
        detail = "entries must all be names of item properties"
        yield causes.invalid_value(f"{field}.x-kubernetes-list-map-keys", list(keys), detail)
    for key in keys:
        if key in properties and key not in required and "default" not in properties[key]:
            detail = (
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be "
                "a required property"
            )
            yield causes.required(f"{field}.items.properties[{key}].default", detail)
