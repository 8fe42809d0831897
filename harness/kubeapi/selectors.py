"""Field selectors as text, with ``=``, ``==`` and ``!=``, and label selectors as objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from harness.kubeapi.label_selectors import LabelPredicate, Labels
from harness.kubeapi.objects import Object
from harness.kubeapi.status import bad_request

Predicate = Callable[[Object], bool]

_FIELD = re.compile(r"(?P<path>.*?)(?P<op>!=|==|=)(?P<value>.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)|([,=])|\\$", re.DOTALL)


def selector_predicate(selector: Object) -> LabelPredicate:
    """A ``metav1.LabelSelector`` object; an empty one matches everything."""
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []

    def holds(labels: Labels) -> bool:
        if any(labels.get(key) != value for key, value in wanted.items()):
            return False
        return all(expression_holds(expression, labels) for expression in expressions)

    return holds


def expression_holds(expression: Object, labels: Labels) -> bool:
    """One of a selector's ``matchExpressions``."""
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def selector_text(selector: Object) -> str:
    """A ``metav1.LabelSelector`` as a query string, as the scale subresource shows it."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or []:
        key, values = expression["key"], ",".join(sorted(expression.get("values") or []))
        words = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        parts.append(words.get(expression["operator"], f"!{key}"))
    return ",".join(parts)


def field_terms(text: str) -> list[tuple[str, bool, str]]:
    """(path, whether it has to be equal, value) of each term. Raises 400."""
    terms = []
    for part in filter(None, re.split(r"(?<!\\),", text)):
        found = _FIELD.match(part)
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path, value = found["path"], _unescaped(found["value"])
        if path or value:
            terms.append((path, found["op"] != "!=", value))
    return terms


def field_predicate(text: str, selectable: tuple[str, ...], *, plain: bool = False) -> Predicate:
    """``selectable`` lists the paths that the kind allows besides name and namespace.

    ``plain`` is true of a kind that knows nothing of paths of its own, and says so.
    """
    terms = []
    for path, equal, value in field_terms(text):
        if path not in (*selectable, "metadata.name", "metadata.namespace"):
            raise bad_request(_unknown_field(path, plain=plain))
        terms.append((path.split("."), equal, value))
    return lambda obj: all((_field(obj, path) == value) is equal for path, equal, value in terms)


def _unescaped(value: str) -> str:
    r"""``\,``, ``\=`` and ``\\`` stand for what follows the backslash."""

    def plain(found: re.Match[str]) -> str:
        if found[2]:
            why = f"unescaped character in value: {ord(found[2])}"
        elif not found[1] or found[1] not in "\\,=":
            why = f"invalid escape sequence: {found[0]}"
        else:
            return found[1]
        raise bad_request(f"invalid field selector: {why}")

    return _ESCAPED.sub(plain, value)


def _unknown_field(path: str, *, plain: bool) -> str:
    if not plain:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _field(obj: Object, path: list[str]) -> str:
    value: Any = obj
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
