"""What keeps a configuration from being applied: values that its kind's types do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from harness.kubeapi.kinds import Schema
from harness.kubeapi.patch.fields import element, field_schema, has_field, shown
from harness.kubeapi.patch.go_text import go_literal, go_text

_FREE = "x-kubernetes-preserve-unknown-fields"


def type_problems(schema: Schema, config: Any) -> list[str]:
    """In the words of the API server; empty when everything has a type of its own."""
    return [f"{path}: {problem}" for path, problem in _value(schema, config, "")]


def _value(schema: Schema, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    kind = schema.get("type")
    if kind == "object":
        if isinstance(value, dict):
            yield from _members(schema, value, path)
        else:
            yield path, f"expected map, got &{{{go_text(value)}}}"
    elif kind == "array":
        if isinstance(value, list):
            yield from _items(schema, value, path)
        else:
            yield path, f"expected list, got &{{{go_text(value)}}}"
    else:
        problem = _scalar_problem(schema, value)
        if problem:
            yield path, problem


def _members(schema: Schema, value: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    open_ended = schema.get("additionalProperties") or schema.get(_FREE)
    for name, inner in sorted(value.items()):
        if has_field(schema, name) or open_ended:
            yield from _value(field_schema(schema, name), inner, f"{path}.{name}")
        else:
            yield f"{path}.{name}", "field not declared in schema"
            return


def _items(schema: Schema, value: list[Any], path: str) -> Iterator[tuple[str, str]]:
    list_type = schema.get("x-kubernetes-list-type")
    items = schema.get("items") or {}
    seen = set()
    for index, item in enumerate(value):
        problem = _item_problem(schema, item, index)
        if problem:
            yield path, problem
            return
        where = f"[{index}]"
        if list_type in ("map", "set"):
            part = element(schema, item)
            where = shown((part,))
            if part in seen:
                yield path, f"duplicate entries for key {where}"
                return
            seen.add(part)
        yield from _value(items, item, path + where)


def _item_problem(schema: Schema, item: Any, index: int) -> str:
    """What keeps an item from being told from the others of a list that merges."""
    list_type = schema.get("x-kubernetes-list-type")
    keyed = "associative list with keys"
    if list_type == "set" and isinstance(item, dict | list | None):
        what = "null" if item is None else "map" if isinstance(item, dict) else "list"
        return f"element {index}: associative list without keys has an element that's a {what} type"
    if list_type != "map":
        return ""
    if item is None:
        return f"element {index}: {keyed} may not have a null element"
    if not isinstance(item, dict):
        return f"element {index}: {keyed} may not have non-map elements"
    if element(schema, item) == "k:{}":
        keys = orjson.dumps(schema.get("x-kubernetes-list-map-keys")).decode().replace(",", " ")
        return (
            f"element {index}: {keyed} has an element that omits all key fields {keys} "
            "(and doesn't have default values for any key fields)"
        )
    return ""


def _scalar_problem(schema: Schema, value: Any) -> str:
    kind = schema.get("type")
    if kind is None or schema.get("format") == "quantity":
        free = schema.get(_FREE) or not isinstance(value, dict | list)
        return "" if free else f"expected any scalar, got &{{{go_text(value)}}}"
    if kind == "string" and not isinstance(value, str):
        return f"expected string, got &value.valueUnstructured{{Value:{go_literal(value)}}}"
    if kind == "boolean" and not isinstance(value, bool):
        return f"expected boolean, got &{{{go_text(value)}}}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("integer", "number") and not is_number:
        return f"expected numeric (int or float), got {_go_type(value)}"
    return ""


def _go_type(value: Any) -> str:
    if isinstance(value, dict | list):
        return "map[string]interface {}" if isinstance(value, dict) else "[]interface {}"
    return "bool" if isinstance(value, bool) else "string"
