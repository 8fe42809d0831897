"""The kinds: every field with its type, limits, default and rules, as the API server has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docs.generators.markdown import code, plain, table
from spiderpool.types.crd import definition
from spiderpool.types.metadata import ApiObject
from spiderpool.types.registry import KINDS

Schema = dict[str, Any]

_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def definitions() -> str:
    """One section a kind."""
    return "\n\n".join("\n\n".join(_section(cls)) for cls in KINDS)


def _section(cls: type[ApiObject]) -> Iterator[str]:
    kind = cls.KIND
    schema = definition(cls)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    scope = "in a namespace" if kind.namespaced else "of the whole cluster"
    columns = ", ".join(code(column.name) for column in kind.columns)
    yield f"## {kind.kind}"
    yield plain(schema.get("description", ""))
    yield f"`apiVersion: {kind.api_version}`, {scope}, short name `{kind.short}`." + (
        f" `kubectl get {kind.short}` shows {columns}." if columns else ""
    )
    for name in ("spec", "status"):
        if name in schema["properties"]:
            part = schema["properties"][name]
            rows = [_row(*field) for field in _fields(part, name)]
            yield table(("Field", "Type", "Default", "Meaning"), rows)
            if rules := list(dict.fromkeys(_rules(part, name))):
                yield "What the API server says of what it refuses:"
                yield "\n".join(f"- {rule}" for rule in rules)


def _members(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    """Path, schema and whether it must be there, of each member of an object, or of an item."""
    for holder, place in ((schema, path), (schema.get("items") or {}, f"{path}[]")):
        must = holder.get("required") or ()
        for name, member in (holder.get("properties") or {}).items():
            yield f"{place}.{name}", member, name in must


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    """The members at any depth."""
    for member in _members(schema, path):
        yield member
        yield from _fields(member[1], member[0])


def _rules(schema: Schema, path: str) -> Iterator[str]:
    for holder in (schema, schema.get("items") or {}):
        for rule in holder.get("x-kubernetes-validations") or ():
            yield f"{code(path + rule.get('fieldPath', ''))}: {plain(rule['message'])}"
    for place, member, _ in _members(schema, path):
        yield from _rules(member, place)


def _row(path: str, schema: Schema, required: bool) -> tuple[str, str, str, str]:
    limits = [words.format(schema[key]) for key, words in _LIMITS.items() if key in schema]
    if "enum" in schema:
        limits.append("one of " + ", ".join(code(str(word)) for word in schema["enum"]))
    meaning = plain(schema.get("description", ""))
    if limits:
        meaning = f"{meaning} ({'; '.join(limits)})".strip()
    return code(path), _type(schema), "required" if required else _default(schema), meaning


def _default(schema: Schema) -> str:
    value = schema.get("default")
    return (
        "" if value is None else code(str(value).lower() if value in (True, False) else str(value))
    )


def _type(schema: Schema) -> str:
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items') or {})}"
    if kind == "object" and "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}"
    return kind
