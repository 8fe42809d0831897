"""Built-in kinds: what decoding JSON into their Go structs accepts, drops and refuses.

A value of the wrong JSON type is an error of the whole request (400), unlike a value that a
rule forbids (422). Unknown fields, nulls and empty lists and maps do not survive.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from harness.kubeapi.builtin.types import zero_of
from harness.kubeapi.kinds import Schema
from harness.kubeapi.schema.formats import is_quantity, is_time


class DecodeMismatch(Exception):
    """The text is what Go's decoder would say."""


def decode(schema: Schema, obj: dict[str, Any], path: str = "") -> tuple[dict[str, Any], list[str]]:
    """The object as the server keeps it, and the paths of the fields that it does not know.

    ``path`` is where the object stands in a larger one.
    Raises DecodeMismatch for a value of the wrong type.
    """
    unknown: list[str] = []
    decoder = _Decoder(unknown)
    kept = decoder.struct(schema, obj, path, "")
    return kept, unknown


class _Decoder:
    """Carries the list of unknown fields; ``path`` names lists by index, ``go`` does not."""

    def __init__(self, unknown: list[str]) -> None:
        self._unknown = unknown

    def struct(self, schema: Schema, obj: dict[str, Any], path: str, go: str) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        fields = schema["properties"]
        for name, value in obj.items():
            inner = f"{path}.{name}" if path else name
            if name not in fields:
                self._unknown.append(inner)
                continue
            owner = f"{schema['x-go-type']}.{go}{name}"
            decoded = self._value(fields[name], value, inner, f"{go}{name}.", owner)
            if not _is_dropped(schema, name, decoded):
                kept[name] = decoded
        for name, field in schema["x-fields"].items():
            if field.always and name not in kept:
                kept[name] = zero_of(fields[name])
        return kept

    def _value(self, schema: Schema, value: Any, path: str, go: str, owner: str) -> Any:
        if value is None or "x-kubernetes-preserve-unknown-fields" in schema:
            return value
        kind = schema.get("type")
        if kind == "object":
            _expect(isinstance(value, dict), value, owner, schema)
            if "properties" in schema:
                return self.struct(schema, value, path, go)
            inner = schema["additionalProperties"]
            return {
                key: self._element(inner, item, f"{path}.{key}", go, owner)
                for key, item in value.items()
            }
        if kind == "array":
            _expect(isinstance(value, list), value, owner, schema)
            items = schema["items"]
            return [
                self._element(items, item, f"{path}[{index}]", go, owner)
                for index, item in enumerate(value)
            ]
        return _scalar(schema, value, owner)

    def _element(self, schema: Schema, value: Any, path: str, go: str, owner: str) -> Any:
        """An item of a list or a map, where null becomes the type's zero value."""
        if value is not None:
            return self._value(schema, value, path, go, owner)
        return zero_of(schema)


def _is_dropped(schema: Schema, name: str, value: Any) -> bool:
    """Go leaves out nulls, empty lists and maps, and zeros that are not behind a pointer."""
    field = schema["properties"][name]
    if value is None:
        return True
    if field.get("type") == "array" or "additionalProperties" in field:
        return not value
    is_zero = value in ("", 0, False) and field.get("type") in ("string", "integer", "boolean")
    return is_zero and not schema["x-fields"][name].pointer


def _scalar(schema: Schema, value: Any, owner: str) -> Any:
    form = schema.get("format", "")
    if form == "int-or-string":
        _expect(_is_integer(value) or isinstance(value, str), value, owner, schema)
        return value
    if form == "quantity":
        if _is_number(value):
            return str(value)
        if not isinstance(value, str) or not is_quantity(value):
            raise DecodeMismatch(
                "quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            )
        return value
    types = {
        "string": isinstance(value, str),
        "integer": _is_integer(value) and _fits(value, form),
        "number": _is_number(value),
        "boolean": isinstance(value, bool),
    }
    _expect(types[schema["type"]], value, owner, schema)
    micro = bool(schema.get("x-micro"))
    if form == "date-time" and not is_time(value, micro=micro):
        layout = f"2006-01-02T15:04:05{'.000000' if micro else ''}Z07:00"
        raise DecodeMismatch(f'parsing time "{value}" as "{layout}": cannot parse "{value}"')
    if form == "byte":
        _check_base64(value)
    return value


def _check_base64(value: str) -> None:
    compact = re.sub(r"[\r\n]", "", value)
    try:
        base64.b64decode(compact, validate=True)
    except binascii.Error:
        valid = re.match(r"[A-Za-z0-9+/]*", compact)
        at = valid.end() if valid else 0
        raise DecodeMismatch(f"illegal base64 data at input byte {at}") from None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fits(value: int, form: str) -> bool:
    bits = 31 if form == "int32" else 63
    return -(1 << bits) <= value < 1 << bits


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _expect(holds: bool, value: Any, owner: str, schema: Schema) -> None:
    if holds:
        return
    found = _json_type(value)
    raise DecodeMismatch(
        f"json: cannot unmarshal {found} into Go struct field {owner} of type {go_type(schema)}"
    )


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "number"
    if isinstance(value, float):
        return f"number {value}"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def go_type(schema: Schema) -> str:
    """The Go type that a schema of ``types.txt`` stands for, as error messages print it."""
    if "x-go-type" in schema:
        return f"v1.{schema['x-go-type']}"
    kind, form = schema.get("type"), schema.get("format", "")
    if kind == "object":
        return f"map[string]{go_type(schema['additionalProperties'])}"
    if kind == "array":
        return f"[]{go_type(schema['items'])}"
    if form in ("int32", "int64"):
        return str(form)
    names = {"byte": "[]uint8", "double": "float64", "date-time": "string"}
    return names.get(form) or {"boolean": "bool"}.get(str(kind), "string")
