"""Objects as a Table: columns and rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from harness.kubeapi.kinds import Column, Kind
from harness.kubeapi.objects import Object
from harness.kubeapi.tables import builtin, jsonpath
from harness.kubeapi.tables.age import age

INCLUDED = ("", "Metadata", "Object", "None")
"""What a row can have of its object."""
_NAME = Column("Name", "string", "name", 0, "Name of the object")
_CUSTOM_AGE = Column("Age", "date", "", 0, "Age of the object", ".metadata.creationTimestamp")


def table(
    kind: Kind, answer: Object, version: str, include: str, now: datetime | None = None
) -> Object:
    """``answer`` is one object or a list; ``include`` is Metadata (default), Object or None."""
    moment = now or datetime.now(UTC)
    columns = columns_of(kind)
    items = answer.get("items", [answer])
    source = answer["metadata"]
    kept = {
        name: source[name]
        for name in ("resourceVersion", "continue", "remainingItemCount")
        if source.get(name)
    }
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": kept,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [
            {"cells": cells_of(kind, obj, moment), "object": _included(obj, include, version)}
            for obj in items
        ],
    }


def columns_of(kind: Kind) -> tuple[Column, ...]:
    if kind.builtin:
        return builtin.columns(kind.name)
    return (_NAME, *(kind.columns or (_CUSTOM_AGE,)))


def cells_of(kind: Kind, obj: Object, now: datetime) -> list[Any]:
    name = obj["metadata"].get("name", "")
    if kind.builtin:
        return builtin.cells(kind.name, obj, now)
    return [name, *(_cell(column, obj, now) for column in columns_of(kind)[1:])]


def _definition(column: Column) -> Object:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _cell(column: Column, obj: Object, now: datetime) -> Any:
    """A value as its column's type prints it; None where there is none."""
    found = jsonpath.find(column.path, obj)
    if not found or found[0] is None:
        return None
    value = found[0]
    match column.type:
        case "integer":
            return int(value) if isinstance(value, int | float) else None
        case "number":
            return float(value) if isinstance(value, int | float) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return age(str(value), now)
        case _:
            return _text(found)


def _text(values: list[Any]) -> str:
    return " ".join(
        value if isinstance(value, str) else orjson.dumps(value).decode() for value in values
    )


def _included(obj: Object, include: str, version: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        return obj
    return partial(obj, version)


def partial(obj: Object, version: str) -> Object:
    """Only the metadata of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj["metadata"],
    }


def partial_list(answer: Object, version: str) -> Object:
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": {name: value for name, value in answer["metadata"].items() if value},
        "items": [partial(obj, version) for obj in answer["items"]] or None,
    }
