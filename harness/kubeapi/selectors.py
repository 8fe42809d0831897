"""Label and field selectors: text to predicate.

Labels: ``a=b``, ``a==b``, ``a!=b``, ``a in (b,c)``, ``a notin (b,c)``, ``a``, ``!a``,
``a>1``, ``a<1``, joined by commas. Fields: ``=``, ``==`` and ``!=`` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.kubeapi.objects import Object
from harness.kubeapi.status import bad_request

Labels = Mapping[str, str]
LabelPredicate = Callable[[Labels], bool]
Predicate = Callable[[Object], bool]

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(
    rf"\s*(?:(?P<absent>!)\s*(?P<gone>{_KEY})"
    rf"|(?P<key>{_KEY})\s*(?:(?P<set>\bnotin\b|\bin\b)\s*\((?P<values>[^)]*)\)"
    rf"|(?P<op>==|=|!=|>|<)\s*(?P<value>[-A-Za-z0-9_.]*))?)\s*(?:,|$)"
)
_FIELD = re.compile(r"^(?P<path>[^=!]+?)(?P<op>==|=|!=)(?P<value>.*)$")


def label_predicate(text: str) -> LabelPredicate:
    """Raises 400 when the text is no selector."""
    requirements = []
    position = 0
    while position < len(text.rstrip()):
        found = _REQUIREMENT.match(text, position)
        if not found or found.end() == position:
            raise bad_request(f"unable to parse requirement: found {text[position:]!r}")
        requirements.append(_requirement(found))
        position = found.end()
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(found: re.Match[str]) -> LabelPredicate:
    if found["absent"]:
        gone = found["gone"]
        return lambda labels: gone not in labels
    key, operator, value = found["key"], found["op"], found["value"]
    if found["set"]:
        values = {choice.strip() for choice in found["values"].split(",")}
        if found["set"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if operator in ("=", "=="):
        return lambda labels: labels.get(key) == value
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    if operator in (">", "<"):
        return _comparison(key, operator, value)
    return lambda labels: key in labels


def _comparison(key: str, operator: str, value: str) -> LabelPredicate:
    if not re.fullmatch(r"-?\d+", value):
        raise bad_request(f"for 'Gt', 'Lt' operators, the value must be an integer: {value!r}")
    bound = int(value)

    def holds(labels: Labels) -> bool:
        mine = labels.get(key, "")
        if not re.fullmatch(r"-?\d+", mine):
            return False
        return int(mine) > bound if operator == ">" else int(mine) < bound

    return holds


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


def field_predicate(text: str, selectable: tuple[str, ...]) -> Predicate:
    """``selectable`` lists the paths that the kind allows besides name and namespace."""
    terms = []
    for part in filter(None, text.split(",")):
        found = _FIELD.match(part)
        if not found:
            raise bad_request(f"invalid selector: {part!r}; can't understand {part!r}")
        path = found["path"].strip()
        if path not in (*selectable, "metadata.name", "metadata.namespace"):
            raise bad_request(_unknown_field(path, bool(selectable)))
        terms.append((path.split("."), found["op"] != "!=", found["value"]))
    return lambda obj: all((_field(obj, path) == value) is equal for path, equal, value in terms)


def _unknown_field(path: str, has_own: bool) -> str:
    if has_own:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _field(obj: Object, path: list[str]) -> str:
    value: Any = obj
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
