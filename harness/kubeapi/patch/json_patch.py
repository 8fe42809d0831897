"""JSON patch (RFC 6902) with JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any

import orjson

from harness.kubeapi.status import ApiError, bad_request


def apply_json_patch(target: Any, operations: Any) -> Any:
    """The patched copy of ``target``.

    Raises 400 for a patch that is none, and 422 for one that does not fit the target.
    """
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type "
            "[]handlers.jsonPatchOp"
        )
    result = {"": orjson.loads(orjson.dumps(target))}
    for operation in operations:
        if not isinstance(operation, dict):
            raise bad_request("error decoding patch: an operation of a JSON patch is an object")
        _step(result, operation)
    return result[""]


def _step(root: dict[str, Any], operation: dict[str, Any]) -> None:
    path = _pointer(operation.get("path"))
    match operation.get("op"):
        case "add":
            _add(root, path, _value_of(operation))
        case "remove":
            _remove(root, path)
        case "replace":
            _replace(root, path, _value_of(operation))
        case "move":
            _add(root, path, _remove(root, _pointer(operation.get("from"))))
        case "copy":
            _add(root, path, orjson.loads(orjson.dumps(_get(root, operation.get("from")))))
        case "test":
            if _get(root, operation.get("path")) != operation.get("value"):
                raise _misfit(f"testing path {operation['path']} failed: test failed")
        case other:
            raise _misfit(f"Unexpected kind: {other}")


def _value_of(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise _misfit(f"{operation['op']} operation: missing value")
    return orjson.loads(orjson.dumps(operation["value"]))


def _misfit(message: str) -> ApiError:
    """The API says no more than this to the client; ``message`` is for whoever debugs."""
    error = ApiError(
        422, "Invalid", "the server rejected our request due to an error in our request", {}
    )
    error.add_note(message)
    return error


def _pointer(text: Any) -> list[str]:
    """Parts of a pointer below the root, which is itself a member named by the empty string."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise _misfit(f"{text!r} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")]


def _get(root: dict[str, Any], text: Any) -> Any:
    parts = _pointer(text)
    container = _container(root, parts)
    return container[_position(container, parts[-1])]


def _container(root: dict[str, Any], parts: list[str]) -> Any:
    value: Any = root
    for part in parts[:-1]:
        value = value[_position(value, part)]
    return value


def _position(container: Any, part: str) -> Any:
    """The key or index of something that exists."""
    if isinstance(container, dict) and part in container:
        return part
    if isinstance(container, list) and part.isascii() and part.isdigit():
        index = int(part)
        if index < len(container):
            return index
    raise _misfit(f"doc is missing path: {part}: missing value")


def _add(root: dict[str, Any], parts: list[str], value: Any) -> None:
    container, last = _container(root, parts), parts[-1]
    if isinstance(container, dict):
        container[last] = value
    elif isinstance(container, list) and last == "-":
        container.append(value)
    elif isinstance(container, list) and last.isdigit() and int(last) <= len(container):
        container.insert(int(last), value)
    else:
        raise _misfit(f"Unable to access invalid index: {last}")


def _replace(root: dict[str, Any], parts: list[str], value: Any) -> None:
    """A member that is missing is added, against the RFC, as the API server does."""
    container, last = _container(root, parts), parts[-1]
    if isinstance(container, dict):
        container[last] = value
    else:
        container[_position(container, last)] = value


def _remove(root: dict[str, Any], parts: list[str]) -> Any:
    container = _container(root, parts)
    position = _position(container, parts[-1])
    return container.pop(position)
