"""The fields of an object that a manager can own, and ``FieldsV1``, their form in JSON.

A path is a tuple of elements: ``f:name`` is a field, ``k:{"name":"c"}`` an item of a list
that merges by keys, ``v:"x"`` an item of a set (Kubernetes, "Server-Side Apply").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from harness.kubeapi.kinds import Schema
from harness.kubeapi.objects import Object

Path = tuple[str, ...]

_ANY: Schema = {"x-kubernetes-preserve-unknown-fields": True}


def leaves(schema: Schema, value: Any, path: Path = ()) -> dict[Path, Any]:
    """What can be owned of a value: each path with what stands there.

    Structs are not owned themselves unless they are empty; keys of maps and items of lists
    are, beside what they hold.
    """
    return dict(_walk(schema, value, path))


def _walk(schema: Schema, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and not _is_atomic(schema):
        for name, inner in value.items():
            known = field_schema(schema, name)
            at = (*path, f"f:{name}")
            if inner is None or inner == {} or not _has_field(schema, name):
                yield at, None if isinstance(inner, dict | list) else inner
            yield from _walk(known, inner, at)
    elif isinstance(value, list) and merges(schema):
        for item in value:
            at = (*path, element(schema, item))
            yield at, None
            if isinstance(item, dict):
                yield from _walk(schema.get("items") or _ANY, item, at)
    elif path:
        yield path, value


def _is_atomic(schema: Schema) -> bool:
    return schema.get("x-kubernetes-map-type") == "atomic"


def _has_field(schema: Schema, name: str) -> bool:
    return name in (schema.get("properties") or {})


def merges(schema: Schema) -> bool:
    """Whether a list is owned item by item."""
    return schema.get("x-kubernetes-list-type") in ("map", "set")


def field_schema(schema: Schema, name: str) -> Schema:
    properties: dict[str, Schema] = schema.get("properties") or {}
    if name in properties:
        return properties[name]
    rest = schema.get("additionalProperties")
    return rest if isinstance(rest, dict) else _ANY


def element(schema: Schema, item: Any) -> str:
    """The path element of an item of a list that merges."""
    if schema.get("x-kubernetes-list-type") == "set":
        return f"v:{orjson.dumps(item).decode()}"
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    defaults = (schema.get("items") or {}).get("properties") or {}
    named = {key: item.get(key, (defaults.get(key) or {}).get("default")) for key in keys}
    present = {key: value for key, value in sorted(named.items()) if value is not None}
    return f"k:{orjson.dumps(present).decode()}"


def to_fields_v1(paths: Iterable[Path]) -> Object:
    """The tree of paths; ``.`` marks an inner node that is owned itself."""
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node["."] = {}
    _drop_marks(tree)
    return tree


def _drop_marks(node: Object) -> None:
    """A leaf needs no mark: that it is there says enough."""
    for name, inner in node.items():
        if name != ".":
            if set(inner) == {"."}:
                del inner["."]
            _drop_marks(inner)


def from_fields_v1(tree: Object, path: Path = ()) -> Iterator[Path]:
    for name, inner in tree.items():
        if name == ".":
            yield path
        elif not inner:
            yield (*path, name)
        else:
            yield from from_fields_v1(inner, (*path, name))


def shown(path: Path) -> str:
    """A path as conflicts name it: ``.spec.containers[name="c"].image``."""
    text = ""
    for part in path:
        kind, _, rest = part.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "v":
            text += f"[={rest}]"
        else:
            keys = orjson.loads(rest).items()
            listed = ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in keys)
            text += f"[{listed}]"
    return text
