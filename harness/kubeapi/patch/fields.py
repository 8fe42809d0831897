"""The fields of an object that a manager can own, and ``FieldsV1``, their form in JSON.

A path is a tuple of elements: ``f:name`` is a field, ``k:{"name":"c"}`` an item of a list
that merges by keys, ``v:"x"`` an item of a set (Kubernetes, "Server-Side Apply").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from harness.kubeapi.builtin.types import zero_of
from harness.kubeapi.kinds import Schema
from harness.kubeapi.objects import Object

Path = tuple[str, ...]

_ANY: Schema = {"x-kubernetes-preserve-unknown-fields": True}


def is_granular(schema: Schema, value: Any) -> bool:
    """Whether a value has parts that can be owned one by one."""
    if isinstance(value, dict):
        return schema.get("x-kubernetes-map-type") != "atomic"
    if not isinstance(value, list) or not merges(schema):
        return False
    keyed = schema.get("x-kubernetes-list-type") == "map"
    return not keyed or all(isinstance(item, dict) for item in value)


def has_field(schema: Schema, name: str) -> bool:
    """Whether it is a field of a struct, and no key of a map."""
    return name in (schema.get("properties") or {})


def parts(schema: Schema, value: Any) -> dict[str, tuple[Schema, Any]]:
    """What a granular value consists of, by path element, each with its schema."""
    if isinstance(value, dict):
        return {f"f:{name}": (field_schema(schema, name), inner) for name, inner in value.items()}
    items = schema.get("items") or _ANY
    return {element(schema, item): (items, item) for item in value or ()}


def inner_schema(schema: Schema, part: str) -> Schema:
    """The schema of what a path element leads to."""
    if part.startswith("f:"):
        return field_schema(schema, part[2:])
    items: Schema = schema.get("items") or _ANY
    return items


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
    named = {key: item.get(key, _key_default(schema.get("items") or {}, key)) for key in keys}
    present = {key: value for key, value in sorted(named.items()) if value is not None}
    return f"k:{orjson.dumps(present).decode()}"


def _key_default(items: Schema, key: str) -> Any:
    """Keys that built-in types require are never missing: they have their zero then."""
    known = (items.get("properties") or {}).get(key) or {}
    if "default" not in known and "x-go-type" in items and key in items.get("required", ()):
        return zero_of(known)
    return known.get("default")


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
