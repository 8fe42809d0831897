"""Kubernetes' protobuf, as kubectl's generators send it, to the same data as JSON.

The body is ``k8s\\0`` and a message ``Unknown`` with the kind and the object's own message
(k8s.io/apimachinery, runtime/generated.proto). Answers are always JSON.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from harness.kubeapi.builtin.types import schema_of, zero_of
from harness.kubeapi.kinds import Schema

MEDIA = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class BadMessage(ValueError):
    """The bytes are no message of that type."""


def decode_body(body: bytes) -> dict[str, Any]:
    """Raises BadMessage."""
    if not body.startswith(_MAGIC):
        raise BadMessage("provided data does not appear to be a protobuf message")
    try:
        return _decode(body[len(_MAGIC) :])
    except (TypeError, AttributeError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        # A field of another wire type than its own.
        raise BadMessage(f"the message does not fit its kind: {error}") from None


def _decode(data: bytes) -> dict[str, Any]:
    unknown = dict(_wire(data))
    about = dict(_wire(unknown.get(1, b"")))
    version, name = (about.get(number, b"").decode() for number in (1, 2))
    try:
        schema = schema_of(name)
    except KeyError:
        raise BadMessage(f"no kind {name!r} is known in protobuf") from None
    message = _message(schema, unknown.get(2, b""))
    return {**message, "apiVersion": version, "kind": name}


def _wire(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value): an integer, or bytes for everything with a length."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = _varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise BadMessage(f"wire type {kind} is unknown")
        if position + size > len(data):
            raise BadMessage("the message ends too early")
        yield number, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise BadMessage("a number ends too early")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def _message(schema: Schema, data: bytes) -> dict[str, Any]:
    result: dict[str, Any] = {}
    _fill(schema, data, (), result)
    return result


def _fill(schema: Schema, data: bytes, inlined: tuple[int, ...], result: dict[str, Any]) -> None:
    """Fields of the message, which is inlined below ``inlined`` in the struct."""
    numbers = {field.number: name for name, field in schema["x-fields"].items()}
    for number, value in _wire(data):
        path = (*inlined, number)
        name = numbers.get(path)
        if name is not None:
            _add(schema["properties"][name], result, name, value)
        elif any(known[: len(path)] == path for known in numbers):
            _fill(schema, value, path, result)


def _add(schema: Schema, result: dict[str, Any], name: str, value: Any) -> None:
    kind = schema.get("type")
    if kind == "array":
        items: list[Any] = result.setdefault(name, [])
        items.append(_value(schema["items"], value))
    elif "additionalProperties" in schema:
        entry = dict(_wire(value))
        inner = schema["additionalProperties"]
        found = _value(inner, entry[2]) if 2 in entry else zero_of(inner)
        result.setdefault(name, {})[entry.get(1, b"").decode()] = found
    else:
        result[name] = _value(schema, value)


def _value(schema: Schema, value: Any) -> Any:
    if "x-go-type" in schema:
        return _message(schema, value)
    if isinstance(value, int):
        signed = value - (1 << 64) if value >= 1 << 63 else value
        return bool(value) if schema.get("type") == "boolean" else signed
    form = schema.get("format", "")
    if form == "double":
        return _double(value)
    if form == "byte":
        return base64.b64encode(value).decode()
    if form == "date-time":
        return _time(value)
    if form == "quantity":
        return dict(_wire(value)).get(1, b"").decode()
    if form == "int-or-string":
        parts = dict(_wire(value))
        return parts.get(3, b"").decode() if parts.get(1) else parts.get(2, 0)
    if "x-kubernetes-preserve-unknown-fields" in schema:
        raw = dict(_wire(value)).get(1, b"")
        return _json(raw) if raw else None
    return value.decode()


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadMessage(f"json parse error: {error}") from None


def _double(value: bytes) -> float:
    if len(value) != 8:
        raise BadMessage("a number has not 8 bytes")
    found: float = struct.unpack("<d", value)[0]
    return found


def _time(value: bytes) -> str | None:
    """Seconds and nanoseconds since 1970; an empty message is no time at all."""
    parts = dict(_wire(value))
    if not parts:
        return None
    seconds = parts.get(1, 0)
    moment = datetime.fromtimestamp(0, UTC) + timedelta(
        seconds=seconds - (1 << 64) if seconds >= 1 << 63 else seconds,
        microseconds=parts.get(2, 0) // 1000,
    )
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06}Z" if moment.microsecond else f"{text}Z"
