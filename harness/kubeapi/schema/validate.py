"""Custom resources: values against their OpenAPI schema, with the API server's messages."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from harness.kubeapi import causes
from harness.kubeapi.kinds import Schema
from harness.kubeapi.schema.formats import FORMATS
from harness.kubeapi.status import Cause


def validate(schema: Schema, value: Any, path: str = "") -> list[Cause]:
    """Everything that is wrong with the value; empty when nothing is."""
    return list(_value(schema, value, path))


def _value(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if value is None and schema.get("nullable"):
        return
    wrong = _wrong_type(schema, value, path)
    if wrong:
        yield wrong
        return
    allowed = schema.get("enum")
    if allowed is not None and value not in allowed:
        yield causes.unsupported(path, value, allowed)
    yield from _combined(schema, value, path)
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        yield from _array(schema, value, path)
    elif isinstance(value, str):
        yield from _string(schema, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(schema, value, path)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == int(value),
    "number": _is_number,
}


def _type_name(value: Any) -> str:
    if isinstance(value, float) and value != int(value):
        return "number"
    order = ("boolean", "integer", "string", "array", "object")
    return next((name for name in order if _TYPES[name](value)), "null")


def _wrong_type(schema: Schema, value: Any, path: str) -> Cause | None:
    wanted = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if _TYPES["integer"](value) or isinstance(value, str):
            return None
        wanted = "integer,string"
    elif not wanted or _TYPES[wanted](value):
        return None
    found = _type_name(value)
    detail = f'{path} in body must be of type {wanted}: "{found}"'
    return causes.wrong_type(path, found, detail)


def _combined(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    for part in schema.get("allOf") or ():
        yield from _value(part, value, path)
    choices = schema.get("anyOf") or ()
    if choices and not any(not validate(choice, value, path) for choice in choices):
        detail = f"{path} in body must validate at least one schema (anyOf)"
        yield causes.invalid_value(path, "", detail)
    one = schema.get("oneOf") or ()
    if one and sum(not validate(choice, value, path) for choice in one) != 1:
        detail = f"{path} in body must validate one and only one schema (oneOf)"
        yield causes.invalid_value(path, "", detail)
    refused = schema.get("not")
    if refused is not None and not validate(refused, value, path):
        detail = f"{path} in body must not validate the schema (not)"
        yield causes.invalid_value(path, "", detail)


def _object(schema: Schema, value: dict[str, Any], path: str) -> Iterator[Cause]:
    properties = schema.get("properties") or {}
    prefix = f"{path}." if path else ""
    for name in schema.get("required") or ():
        if name not in value:
            yield causes.required(f"{prefix}{name}")
    rest = schema.get("additionalProperties")
    for name, item in value.items():
        if name in properties:
            yield from _value(properties[name], item, f"{prefix}{name}")
        elif isinstance(rest, dict):
            yield from _value(rest, item, f"{prefix}{name}")
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        yield causes.too_many(path, len(value), most)
    if least is not None and len(value) < least:
        detail = f"{path} in body should have at least {least} properties"
        yield causes.invalid_value(path, len(value), detail)


def _array(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None and len(value) > most:
        yield causes.too_many(path, len(value), most)
    if least is not None and len(value) < least:
        detail = f"{path} in body should have at least {least} items"
        yield causes.invalid_value(path, len(value), detail)
    for index, item in enumerate(value):
        yield from _value(schema.get("items") or {}, item, f"{path}[{index}]")
    yield from _repeated(schema, value, path)


def _repeated(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    """Sets hold each item once; maps hold each combination of keys once."""
    list_type = schema.get("x-kubernetes-list-type")
    if list_type not in ("set", "map") and not schema.get("uniqueItems"):
        return
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[Any] = []
    for index, item in enumerate(value):
        if list_type == "map" and not isinstance(item, dict):
            if item is not None:
                detail = "must be an object for an array of list-type map"
                yield causes.invalid_value(f"{path}[{index}]", item, detail)
            continue
        if list_type == "map":
            item = {key: item.get(key) for key in keys if item.get(key) is not None}  # noqa: PLW2901
        if item in seen:
            yield causes.duplicate(f"{path}[{index}]", item)
            return
        seen.append(item)


def _string(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    yield from itertools.islice(_text_rules(schema, value, path), 1)
    check = FORMATS.get(schema.get("format") or "")
    if check and not check(value):
        detail = f'{path} in body must be of type {schema["format"]}: "{value}"'
        yield causes.wrong_type(path, value, detail)


def _text_rules(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    """In the order in which they are tried; the first that is broken is named."""
    most, least = schema.get("maxLength"), schema.get("minLength")
    if most is not None and len(value) > most:
        yield causes.too_long(path, most)
    if least is not None and len(value) < least:
        detail = f"{path} in body should be at least {least} chars long"
        yield causes.invalid_value(path, value, detail)
    pattern = schema.get("pattern")
    if pattern and not compiled(pattern).search(value):
        yield causes.invalid_value(path, value, f"{path} in body should match '{pattern}'")


_LOOKING_AROUND = re.compile(r"\(\?<?[=!]")


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""Go's ``$`` and ``\z`` mean the very end, Python's ``$`` also stands before a newline.

    Raises re.error, for what Go's expressions do not have, too.
    """
    if _LOOKING_AROUND.search(pattern):
        raise re.error("invalid or unsupported Perl syntax")
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern).replace(r"\z", r"\Z"))


def _number(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    most, least = schema.get("maximum"), schema.get("minimum")
    if most is not None:
        strict = bool(schema.get("exclusiveMaximum"))
        if value > most or (strict and value == most):
            bound = f"less than {most}" if strict else f"less than or equal to {most}"
            yield causes.invalid_value(path, value, f"{path} in body should be {bound}")
    if least is not None:
        strict = bool(schema.get("exclusiveMinimum"))
        if value < least or (strict and value == least):
            bound = f"greater than {least}" if strict else f"greater than or equal to {least}"
            yield causes.invalid_value(path, value, f"{path} in body should be {bound}")
    step = schema.get("multipleOf")
    if step and value % step:
        yield causes.invalid_value(path, value, f"{path} in body should be a multiple of {step}")
    yield from _width(schema, value, path)


def _width(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    bits = {"int32": 31, "int64": 63}.get(schema.get("format") or "")
    if bits and not -(2**bits) <= value < 2**bits:
        detail = f'{path} in body must be of type {schema["format"]}: "{value}"'
        yield causes.invalid_value(path, value, detail)
