"""Strategic merge patch: a merge patch whose lists merge by key where the schema says so.

Directives: ``$patch: replace|delete|merge``, ``$retainKeys``, ``$setElementOrder/field``,
``$deleteFromPrimitiveList/field`` (sig-api-machinery, "Strategic Merge Patch").
"""

from __future__ import annotations

from typing import Any

from harness.kubeapi.kinds import Schema
from harness.kubeapi.patch.go_text import go_text
from harness.kubeapi.status import ApiError, bad_request

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def merge_by_schema(schema: Schema, target: dict[str, Any], patch: dict[str, Any]) -> Any:
    """The patched object; neither argument is changed. Raises 400 for a bad directive."""
    directive = patch.get("$patch")
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unrecognized patch directive {directive!r}")
    result = dict(target)
    retained = patch.get("$retainKeys")
    if retained is not None:
        result = {name: value for name, value in result.items() if name in retained}
    for name, value in patch.items():
        if name.startswith(_DELETE):
            field = name.removeprefix(_DELETE)
            result[field] = [item for item in result.get(field) or [] if item not in value]
        elif not name.startswith("$"):
            _merge_field(_field_schema(schema, name), result, name, value)
    for name, order in patch.items():
        if name.startswith(_ORDER):
            _reorder(schema, result, name.removeprefix(_ORDER), order)
    return result


def _field_schema(schema: Schema, name: str) -> Schema:
    properties: dict[str, Schema] = schema.get("properties") or {}
    if name in properties:
        return properties[name]
    rest = schema.get("additionalProperties")
    return rest if isinstance(rest, dict) else {}


def _merge_field(schema: Schema, result: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        result.pop(name, None)
    elif isinstance(value, dict):
        before = result.get(name)
        result[name] = merge_by_schema(schema, before if isinstance(before, dict) else {}, value)
    elif isinstance(value, list) and name not in result:
        kept = [item for item in value if not (isinstance(item, dict) and "$patch" in item)]
        result[name] = [_without_directives(item) for item in kept]
    elif isinstance(value, list):
        before = result.get(name)
        result[name] = _merge_list(schema, before if isinstance(before, list) else [], value)
    else:
        result[name] = value


def _merge_list(schema: Schema, before: list[Any], patch: list[Any]) -> list[Any]:
    if schema.get("x-kubernetes-patch-strategy") != "merge":
        return [_without_directives(item) for item in patch]
    key = schema.get("x-kubernetes-patch-merge-key")
    if key is None:
        return before + [item for item in patch if item not in before]
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    result = list(before)
    for item in patch:
        _merge_item(schema["items"], result, item, key)
    return result


def _merge_item(schema: Schema, result: list[Any], item: dict[str, Any], key: str) -> None:
    if key not in item:
        message = f"map: {go_text(item)} does not contain declared merge key: {key}"
        raise ApiError(500, "", message)
    found = next((i for i, old in enumerate(result) if old.get(key) == item[key]), None)
    if item.get("$patch") == "delete":
        result[:] = [old for old in result if old.get(key) != item[key]]
    elif found is None:
        result.append(merge_by_schema(schema, {}, item))
    else:
        result[found] = merge_by_schema(schema, result[found], item)


def _without_directives(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if not name.startswith("$")}


def _reorder(schema: Schema, result: dict[str, Any], field: str, order: list[Any]) -> None:
    """Items that the order names stand as it says; the others keep their places after them."""
    items = result.get(field)
    if not isinstance(items, list):
        return
    key = _field_schema(schema, field).get("x-kubernetes-patch-merge-key")

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    ranks = [identity(item) for item in order]
    named = sorted(
        (item for item in items if identity(item) in ranks),
        key=lambda item: ranks.index(identity(item)),
    )
    result[field] = named + [item for item in items if identity(item) not in ranks]
