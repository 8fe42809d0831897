"""OpenAPI v3 schemas, structural as CRDs want them, from the dataclasses of API objects."""

from __future__ import annotations

import enum
import typing
from collections.abc import Mapping
from typing import Any

from spiderpool.types.codec import (
    Attribute,
    Rule,
    Schema,
    attributes,
    split_annotated,
    without_none,
)
from spiderpool.types.metadata import Metadata

Document = dict[str, Any]

_SCALARS = {str: "string", int: "integer", bool: "boolean", float: "number"}
_OWN_WORDS = ("pattern", "format", "enum")
_BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
}


def object_schema(cls: type) -> Document:
    """Schema of a dataclass; scalar defaults of its fields become the API's defaults."""
    fields = attributes(cls)
    document: Document = {"type": "object"}
    if cls.__doc__:
        document["description"] = _first_paragraph(cls.__doc__)
    document["properties"] = {field.key: _field_schema(field) for field in fields}
    if required := [field.key for field in fields if field.required]:
        document["required"] = required
    if map_type := getattr(cls, "MAP_TYPE", ""):
        document["x-kubernetes-map-type"] = map_type
    return document | _validations(getattr(cls, "RULES", ()))


def _first_paragraph(docstring: str) -> str:
    return " ".join(docstring.partition("\n\n")[0].replace("``", "").split())


def _field_schema(field: Attribute) -> Document:
    document = value_schema(field.annotation, field.schema)
    if isinstance(field.default, str | int | bool) and field.default != "":
        document["default"] = getattr(field.default, "value", field.default)
    return document


def value_schema(annotation: Any, schema: Schema) -> Document:
    """Schema of one value: its annotation, and what ``schema`` adds to it."""
    document = _type_schema(without_none(annotation) or annotation, schema)
    if schema.doc:
        document["description"] = schema.doc
    for word in _OWN_WORDS:
        if said := getattr(schema, word):
            document[word] = list(said) if isinstance(said, tuple) else said
    for name, key in _BOUNDS.items():
        if (bound := getattr(schema, name)) is not None:
            document[key] = bound
    return document | _validations(schema.rules, document.get("x-kubernetes-validations"))


def _type_schema(annotation: Any, schema: Schema) -> Document:
    if isinstance(annotation, typing.NewType):
        return _type_schema(annotation.__supertype__, schema)
    if annotation is Metadata:
        return {"type": "object"}
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        items = value_schema(*split_annotated(arguments[0]))
        if schema.item_max_length is not None:
            items["maxLength"] = schema.item_max_length
        return {"type": "array", "items": items}
    if origin is not None and issubclass(origin, Mapping):
        return {
            "type": "object",
            "additionalProperties": value_schema(*split_annotated(arguments[1])),
        }
    if annotation in _SCALARS:
        return {"type": _SCALARS[annotation]}
    if issubclass(annotation, enum.Enum):
        return {"type": "string", "enum": [member.value for member in annotation]}
    return object_schema(annotation)


def _validations(rules: tuple[Rule, ...], before: list[Document] | None = None) -> Document:
    added = [_validation(rule) for rule in rules]
    return {"x-kubernetes-validations": (before or []) + added} if before or added else {}


def _validation(rule: Rule) -> Document:
    document = {"rule": rule.rule, "message": rule.message}
    if rule.words:
        document["messageExpression"] = rule.words
    if rule.field:
        document["fieldPath"] = f".{rule.field}"
    return document
