"""``types.txt`` read as OpenAPI schemas.

Schemas refer to each other by identity, so a recursive type is a cyclic dictionary: walk
them along an object, never alone. ``x-go-type`` names the type of a struct;
``x-kubernetes-patch-merge-key`` and the ``list-type`` extensions say how lists merge.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from harness.kubeapi.kinds import Schema

_SCALARS: dict[str, Schema] = {
    "string": {"type": "string"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "microTime": {"type": "string", "format": "date-time", "x-micro-time": True},
    "quantity": {"type": "string", "format": "quantity"},
    "intOrString": {"x-kubernetes-int-or-string": True, "format": "int-or-string"},
    "any": {"x-kubernetes-preserve-unknown-fields": True},
}


@functools.cache
def _lines() -> dict[str, str]:
    text = Path(__file__).with_name("types.txt").read_text()
    named = (line.split(" ", 1) for line in text.splitlines() if line and line[0] not in "# ")
    return dict(named)


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
    schema: Schema = {"type": "object", "x-go-type": name, "properties": {}}
    if atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    _built[name] = schema
    needed = []
    for entry in fields.split():
        field, _, notation = entry.partition(":")
        if notation.endswith("!"):
            needed.append(field)
            notation = notation[:-1]
        schema["properties"][field] = _parse(notation)
    if needed:
        schema["required"] = needed
    return schema


def _parse(notation: str) -> Schema:
    if notation[0] == "[":
        item, _, keys = notation[1:-1].partition("|")
        return {"type": "array", "items": _parse(item), **_list_extensions(keys)}
    if notation[0] == "{":
        value, _, atomic = notation[1:-1].partition("|")
        extension = {"x-kubernetes-map-type": "atomic"} if atomic else {}
        return {"type": "object", "additionalProperties": _parse(value), **extension}
    return _SCALARS[notation] if notation in _SCALARS else schema_of(notation)


def _list_extensions(keys: str) -> dict[str, Any]:
    if not keys:
        return {"x-kubernetes-list-type": "atomic"}
    if keys == "*":
        return {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    names = keys.split(",")
    return {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": names,
        "x-kubernetes-patch-strategy": "merge",
        "x-kubernetes-patch-merge-key": names[0],
    }
