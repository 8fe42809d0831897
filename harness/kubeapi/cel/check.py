"""Rules held against their schema before they are used: fields that do not exist, no boolean.

It knows the types of ``self``, of what is selected from it and of the variables of macros;
everything else it lets pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.kubeapi.cel.syntax import (
    BadExpression,
    Call,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Select,
)
from harness.kubeapi.kinds import Schema

Scope = Mapping[str, Schema]
_MACROS = ("all", "exists", "exists_one", "existsOne", "map", "filter")
_NOT_BOOLEAN = ("string", "integer", "number", "array", "object")


def check(node: Node, scope: Scope) -> None:
    """Raises BadExpression."""
    if isinstance(node, Select):
        check(node.target, scope)
        _selected(node, scope)
    elif isinstance(node, ListOf):
        for item in node.items:
            check(item, scope)
    elif isinstance(node, MapOf):
        for key, value in node.entries:
            check(key, scope)
            check(value, scope)
    elif isinstance(node, Call):
        _check_call(node, scope)


def check_boolean(node: Node, scope: Scope) -> None:
    """Raises BadExpression when the value can be no boolean."""
    literal = isinstance(node, Literal) and not isinstance(node.value, bool)
    known = _schema_of(node, scope)
    if literal or (known or {}).get("type") in _NOT_BOOLEAN:
        raise BadExpression("cel expression must evaluate to a bool")


def _check_call(node: Call, scope: Scope) -> None:
    if node.target is not None:
        check(node.target, scope)
    inner = dict(scope)
    arguments = node.arguments
    if node.target is not None and node.name in _MACROS and isinstance(arguments[0], Name):
        over = _schema_of(node.target, scope) or {}
        items = over.get("items")
        inner[arguments[0].name] = items if isinstance(items, dict) else {}
        arguments = arguments[1:]
    elif node.name == "bind" and isinstance(arguments[0], Name):
        inner[arguments[0].name] = _schema_of(arguments[1], scope) or {}
        arguments = arguments[1:]
    for argument in arguments:
        check(argument, inner)


def _schema_of(node: Node, scope: Scope) -> Schema | None:
    """The schema of what the expression yields, where it is known."""
    if isinstance(node, Name):
        return scope.get(node.name)
    if isinstance(node, Select):
        return _selected(node, scope)
    if isinstance(node, Call) and node.name == "_[_]":
        over = _schema_of(node.arguments[0], scope) or {}
        inner = over.get("items") or over.get("additionalProperties")
        return inner if isinstance(inner, dict) else None
    return None


def _selected(node: Select, scope: Scope) -> Schema | None:
    schema = _schema_of(node.target, scope)
    properties = (schema or {}).get("properties")
    if not schema or properties is None:
        return None
    if node.field in properties:
        found: Schema = properties[node.field]
        return found
    if schema.get("additionalProperties") or schema.get("x-kubernetes-preserve-unknown-fields"):
        return None
    raise BadExpression(f"undefined field {node.field!r}")
