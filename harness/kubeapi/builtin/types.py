"""``types.txt`` read as OpenAPI schemas.

Schemas refer to each other by identity, so a recursive type is a cyclic dictionary: walk
them along an object, never alone. ``x-go-type`` names the type of a struct, ``x-fields``
has what Go and protobuf know of its fields, and the ``list-type`` extensions say how lists
merge.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, NamedTuple

from harness.kubeapi.kinds import Schema

_SCALARS: dict[str, Schema] = {
    "string": {"type": "string"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "microTime": {"type": "string", "format": "date-time", "x-micro": True},
    "quantity": {"type": "string", "format": "quantity"},
    "intOrString": {"x-kubernetes-int-or-string": True, "format": "int-or-string"},
    "any": {"x-kubernetes-preserve-unknown-fields": True},
}
_FIELD = re.compile(
    r"(?P<name>[^:]+):(?P<type>[^=!?+#]+)(=(?P<default>\w+))?"
    r"(?P<required>!)?(?P<pointer>\?)?(?P<always>\+)?(#(?P<number>[\d.]+))?"
)


class Field(NamedTuple):
    """``number`` is a path of protobuf field numbers; empty when protobuf has no such field."""

    pointer: bool
    always: bool
    number: tuple[int, ...]


@functools.cache
def _lines() -> dict[str, str]:
    text = Path(__file__).with_name("types.txt").read_text()
    named = (line.partition(" ") for line in text.splitlines() if line and line[0] not in "# ")
    return {name: fields for name, _, fields in named}


def type_names() -> list[str]:
    return [name.rstrip("~") for name in _lines()]


_built: dict[str, Schema] = {}


def schema_of(name: str) -> Schema:
    """The schema of a built-in type; ``KeyError`` when ``types.txt`` lacks it."""
    if name in _built:
        return _built[name]
    lines = _lines()
    atomic = f"{name}~" in lines
    fields = lines[f"{name}~" if atomic else name]
    schema: Schema = {"type": "object", "x-go-type": name, "properties": {}, "x-fields": {}}
    if atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    _built[name] = schema
    for entry in fields.split():
        _add_field(schema, entry)
    return schema


def _add_field(schema: Schema, entry: str) -> None:
    found = _FIELD.fullmatch(entry)
    if not found:
        raise ValueError(f"types.txt: {schema['x-go-type']}: cannot read {entry!r}")
    name = found["name"]
    field = _parse(found["type"])
    if found["default"]:
        field = {**field, "default": found["default"]}
    schema["properties"][name] = field
    number = tuple(map(int, found["number"].split("."))) if found["number"] else ()
    schema["x-fields"][name] = Field(bool(found["pointer"]), bool(found["always"]), number)
    if found["required"]:
        schema.setdefault("required", []).append(name)


def _parse(notation: str) -> Schema:
    if notation[0] == "[":
        inner, _, rest = notation[1:].rpartition("]")
        item, _, keys = inner.partition("|")
        return {"type": "array", "items": _parse(item), **_list_extensions(keys, rest == "-")}
    if notation[0] == "{":
        value, _, atomic = notation[1:-1].partition("|")
        extension = {"x-kubernetes-map-type": "atomic"} if atomic else {}
        return {"type": "object", "additionalProperties": _parse(value), **extension}
    return _SCALARS[notation] if notation in _SCALARS else schema_of(notation)


def _list_extensions(keys: str, applies_only: bool) -> dict[str, Any]:
    if not keys:
        return {"x-kubernetes-list-type": "atomic"}
    if keys == "*":
        return {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    names = keys.split(",")
    extensions = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": names}
    if applies_only:
        return extensions
    return {
        **extensions,
        "x-kubernetes-patch-strategy": "merge",
        "x-kubernetes-patch-merge-key": names[0],
    }


def zero_of(schema: Schema) -> Any:
    """What Go writes for a field of this type that nobody set."""
    if "x-go-type" in schema:
        fields = schema["x-fields"].items()
        properties = schema["properties"]
        return {name: zero_of(properties[name]) for name, field in fields if field.always}
    if schema.get("format") == "date-time":
        return None
    zeros: dict[str | None, Any] = {"string": "", "boolean": False, "object": {}, "array": []}
    return zeros.get(schema.get("type"), 0)
