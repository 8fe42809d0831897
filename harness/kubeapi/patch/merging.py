"""Server-side apply on values: lay a configuration over an object, take fields out of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.kubeapi.kinds import Schema
from harness.kubeapi.objects import Object
from harness.kubeapi.patch.fields import (
    Path,
    element,
    field_schema,
    is_granular,
    merges,
    parts,
)


def laid_over(schema: Schema, live: Any, config: Any) -> Any:
    """The live value with everything that the configuration says; neither is changed."""
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    if isinstance(live, dict) and isinstance(config, dict) and not atomic:
        result = dict(live)
        for name, value in config.items():
            result[name] = laid_over(field_schema(schema, name), live.get(name), value)
        return result
    if config is None and live and is_granular(schema, live):
        return live
    if isinstance(live, list) and isinstance(config, list) and merges(schema):
        return _merged_list(schema, live, config)
    return config


def _merged_list(schema: Schema, live: list[Any], config: list[Any]) -> list[Any]:
    """Items of the configuration in its order; others keep their place among them."""
    before = {element(schema, item): item for item in live}
    wanted = {element(schema, item): item for item in config}
    items = schema.get("items") or {}
    waiting = list(before)
    merged: list[Any] = []
    for key, item in wanted.items():
        while waiting and waiting[0] not in wanted:
            merged.append(before[waiting.pop(0)])
        if key in waiting:
            waiting.remove(key)
        merged.append(laid_over(items, before.get(key), item))
    return merged + [before[key] for key in waiting]


def taken_out(schema: Schema, value: Any, paths: Iterable[Path]) -> Any:
    """The value without these paths; what is left empty by that becomes null."""
    tree: Object = {}
    for path in paths:
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node["."] = True
    return _without(schema, value, tree)


def _without(schema: Schema, value: Any, tree: Object) -> Any:
    if not value or not isinstance(value, dict | list):
        return value
    if not is_granular(schema, value):
        return None
    kept = [
        (part, _without(known, inner, tree[part]) if part in tree else inner)
        for part, (known, inner) in parts(schema, value).items()
        if "." not in tree.get(part, ())
    ]
    if not kept:
        return None
    if isinstance(value, dict):
        return {part[2:]: inner for part, inner in kept}
    return [inner for _, inner in kept]
