"""The ways in which a field can be wrong, in the words of apimachinery's ``field`` package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from harness.kubeapi.status import Cause


def shown(value: Any) -> str:
    """A value as messages quote it: strings in double quotes, objects as JSON."""
    return orjson.dumps(value).decode()


def required(field: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", _joined("Required value", detail), field)


def invalid_value(field: str, value: Any, detail: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {detail}", field)


def wrong_type(field: str, value: Any, detail: str) -> Cause:
    return Cause("FieldValueTypeInvalid", f"Invalid value: {shown(value)}: {detail}", field)


def unsupported(field: str, value: Any, allowed: Iterable[Any]) -> Cause:
    texts = (choice if isinstance(choice, str) else shown(choice) for choice in allowed)
    listed = ", ".join(map(shown, texts))
    message = f"Unsupported value: {shown(value)}: supported values: {listed}"
    return Cause("FieldValueNotSupported", message, field)


def duplicate(field: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {shown(value)}", field)


def forbidden_field(field: str, detail: str) -> Cause:
    return Cause("FieldValueForbidden", _joined("Forbidden", detail), field)


def too_long(field: str, limit: int) -> Cause:
    counted = "1 byte" if limit == 1 else f"{limit} bytes"
    return Cause("FieldValueTooLong", f"Too long: may not be more than {counted}", field)


def too_many(field: str, count: int, limit: int) -> Cause:
    counted = "1 item" if limit == 1 else f"{limit} items"
    return Cause("FieldValueTooMany", f"Too many: {count}: must have at most {counted}", field)


def _joined(word: str, detail: str) -> str:
    return f"{word}: {detail}" if detail else word
