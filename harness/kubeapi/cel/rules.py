"""``x-kubernetes-validations`` of a schema, applied to a value and to what it was before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.kubeapi import causes
from harness.kubeapi.cel.check import check, check_boolean
from harness.kubeapi.cel.evaluate import evaluate
from harness.kubeapi.cel.functions import EvaluationError
from harness.kubeapi.cel.syntax import BadExpression, parse
from harness.kubeapi.kinds import Schema
from harness.kubeapi.status import Cause

_MISSING: Any = object()


def rule_causes(schema: Schema, value: Any, old: Any = _MISSING, path: str = "") -> Iterator[Cause]:
    """Every rule that the value breaks; ``old`` is missing for a creation."""
    for rule in schema.get("x-kubernetes-validations") or ():
        cause = _broken(rule, value, old, path)
        if cause:
            yield cause
    if isinstance(value, dict):
        yield from _members(schema, value, old, path)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        before = _by_key(schema, old)
        for index, item in enumerate(value):
            previous = before.get(_key(schema, item), _MISSING)
            yield from rule_causes(schema["items"], item, previous, f"{path}[{index}]")


def _members(schema: Schema, value: dict[str, Any], old: Any, path: str) -> Iterator[Cause]:
    properties = schema.get("properties") or {}
    rest = schema.get("additionalProperties")
    before = old if isinstance(old, dict) else {}
    for name, item in value.items():
        inner = properties.get(name, rest)
        if isinstance(inner, dict):
            where = f"{path}.{name}" if path else name
            yield from rule_causes(inner, item, before.get(name, _MISSING), where)


def _by_key(schema: Schema, old: Any) -> dict[Any, Any]:
    """Old items can be told apart in lists with keys only."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return {}
    return {_key(schema, item): item for item in old}


def _key(schema: Schema, item: Any) -> Any:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return tuple(item.get(key) for key in keys) if isinstance(item, dict) else None


def _broken(rule: Schema, value: Any, old: Any, path: str) -> Cause | None:
    node = parse(rule["rule"])
    variables = {"self": value}
    if "oldSelf" in rule["rule"]:
        if old is _MISSING:
            return None
        variables["oldSelf"] = old
    try:
        if evaluate(node, variables) is True:
            return None
        message = _message(rule, variables)
    except EvaluationError as error:
        message = f"{error} evaluating rule: {rule.get('message') or rule['rule']}"
    return _cause(rule, value, path, message)


def _message(rule: Schema, variables: dict[str, Any]) -> str:
    if rule.get("messageExpression"):
        try:
            found = evaluate(parse(rule["messageExpression"]), variables)
        except (EvaluationError, BadExpression):
            found = ""
        if isinstance(found, str) and found.strip() and "\n" not in found:
            return found.strip()
    return str(rule.get("message") or f"failed rule: {rule['rule']}").strip()


def _cause(rule: Schema, value: Any, path: str, message: str) -> Cause:
    reason = rule.get("reason") or "FieldValueInvalid"
    if rule.get("fieldPath"):
        field = f"{path}{rule['fieldPath']}".lstrip(".")
        return Cause(reason, f"{_WORDS[reason]}: {message}", field)
    if reason == "FieldValueInvalid" and not isinstance(value, dict | list):
        return causes.invalid_value(path, value, message)
    return Cause(reason, f"{_WORDS[reason]}: {message}", path)


_WORDS = {
    "FieldValueInvalid": "Invalid value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}


def definition_causes(schema: Schema, field: str) -> Iterator[Cause]:
    """Rules of a schema node that cannot be."""
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = f"{field}.x-kubernetes-validations[{index}]"
        if not (rule.get("rule") or "").strip():
            yield causes.required(f"{where}.rule", "rule is not specified")
        for name in ("rule", "messageExpression"):
            problem = _problem(rule.get(name) or "", schema, boolean=name == "rule")
            if problem:
                yield causes.invalid_value(f"{where}.{name}", rule[name], problem)


def _problem(text: str, schema: Schema, *, boolean: bool) -> str:
    if not text.strip():
        return ""
    scope = {"self": schema, "oldSelf": schema}
    try:
        node = parse(text)
        check(node, scope)
    except BadExpression as error:
        return f"compilation failed: ERROR: {error}"
    try:
        if boolean:
            check_boolean(node, scope)
    except BadExpression as error:
        return str(error)
    return ""


_BLOCKING = ("NotSupported", "Required", "TooLong", "TooMany", "TypeInvalid")


def checked_rules(
    schema: Schema, value: Any, before: tuple[Any, ...], broken: list[Cause]
) -> list[Cause]:
    """Broken rules of a value whose schema is ``broken`` in these places.

    Rules may rely on types and sizes: when those are wrong, no rule is tried, and that is said.
    ``before`` holds the old value, if there is one.
    """
    if any(cause.reason.removeprefix("FieldValue") in _BLOCKING for cause in broken):
        if not _has_rules(schema):
            return []
        detail = (
            "some validation rules were not checked because the object was invalid; "
            "correct the existing errors to complete validation"
        )
        return [causes.invalid_value("<nil>", None, detail)]
    return list(rule_causes(schema, value, *before))


def _has_rules(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_has_rules, schema))
    if not isinstance(schema, dict):
        return False
    return "x-kubernetes-validations" in schema or any(map(_has_rules, schema.values()))
