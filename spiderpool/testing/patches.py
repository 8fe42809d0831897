"""The two patches that the fake API understands: RFC 7396 and RFC 6902."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spiderpool.errors import Invalid


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396: null deletes, mappings merge, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def apply_operations(document: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """RFC 6902 ``add``, ``remove``, ``replace`` and ``test``, in place on ``document``.

    Raises:
        Invalid: when a path does not exist, a test fails, or an operation is not one of these.
    """
    for operation in operations:
        path = [step.replace("~1", "/").replace("~0", "~") for step in _steps(operation["path"])]
        try:
            _apply(document, path, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            words = f"the operation {operation['op']} {operation['path']} cannot be done"
            raise Invalid(422, "Invalid", words) from None
    return document


def _steps(path: str) -> list[str]:
    return path.split("/")[1:]


def _apply(document: Any, path: Sequence[str], operation: Mapping[str, Any]) -> None:
    holder = document
    for step in path[:-1]:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    last = path[-1]
    if isinstance(holder, list):
        _apply_to_list(holder, last, operation)
        return
    if operation["op"] == "add":
        holder[last] = operation["value"]
    elif operation["op"] == "test":
        _check(holder[last], operation["value"])
    elif operation["op"] == "remove":
        del holder[last]
    elif operation["op"] == "replace" and last in holder:
        holder[last] = operation["value"]
    else:
        raise ValueError(operation["op"])


def _apply_to_list(holder: list[Any], last: str, operation: Mapping[str, Any]) -> None:
    index = len(holder) if last == "-" else int(last)
    if operation["op"] == "add" and index <= len(holder):
        holder.insert(index, operation["value"])
    elif operation["op"] == "test":
        _check(holder[index], operation["value"])
    elif operation["op"] == "remove":
        del holder[index]
    elif operation["op"] == "replace":
        holder[index] = operation["value"]
    else:
        raise ValueError(operation["op"])


def _check(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise ValueError(f"{found!r} is not {wanted!r}")
