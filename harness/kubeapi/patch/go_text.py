"""Values as Go prints them in messages."""

from __future__ import annotations

from typing import Any

import orjson


def go_text(value: Any) -> str:
    """As Go's ``%v`` has it."""
    if isinstance(value, dict):
        inner = " ".join(f"{name}:{go_text(item)}" for name, item in sorted(value.items()))
        return f"map[{inner}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if isinstance(value, str):
        return value
    return "<nil>" if value is None else orjson.dumps(value).decode()


def go_literal(value: Any) -> str:
    """As Go's ``%#v`` has it."""
    if isinstance(value, dict):
        inner = (f'"{name}":{go_literal(item)}' for name, item in sorted(value.items()))
        return f"map[string]interface {{}}{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(go_literal, value))}}}"
    return "interface {}(nil)" if value is None else orjson.dumps(value).decode()
