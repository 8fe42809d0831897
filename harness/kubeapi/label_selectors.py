"""Label selectors as text: ``a=b``, ``a!=b``, ``a in (b,c)``, ``!a``, ``a>1``, joined by commas.

Grammar and words are those of k8s.io/apimachinery, package ``labels``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from harness.kubeapi.causes import shown
from harness.kubeapi.names import key_problems, value_problem
from harness.kubeapi.status import bad_request

Labels = Mapping[str, str]
LabelPredicate = Callable[[Labels], bool]

_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+|$)")
_MARKS = {"==", "!=", "=", "!", "(", ")", ",", "<", ">", ""}
_OPERATORS = ("in", "notin", "=", "==", "!=", ">", "<")
_INTEGER = re.compile(r"[+-]?\d+")


def label_predicate(text: str) -> LabelPredicate:
    """Raises 400 when the text is no selector."""
    requirements = _Parser(text).requirements()
    return lambda labels: all(requirement(labels) for requirement in requirements)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    @property
    def _ahead(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        found = self._ahead
        self._at += 1
        return found

    def requirements(self) -> list[LabelPredicate]:
        found: list[LabelPredicate] = []
        while self._ahead:
            if self._ahead in _MARKS - {"!"}:
                raise bad_request(
                    f"found '{self._ahead}', expected: !, identifier, or 'end of string'"
                )
            found.append(self._requirement())
            end = self._next()
            if end not in ("", ","):
                raise bad_request(f"found '{end}', expected: ',' or 'end of string'")
            if end and self._ahead in _MARKS - {"!"}:
                raise bad_request(f"found '{self._ahead}', expected: identifier after ','")
        return found

    def _requirement(self) -> LabelPredicate:
        absent = self._ahead == "!"
        if absent:
            self._next()
        key = self._identifier()
        problems = "; ".join(key_problems(key))
        if problems:
            raise _bad_requirement(f"<nil>: Invalid value: {shown(key)}: {problems}")
        if absent:
            return lambda labels: key not in labels
        if self._ahead in ("", ","):
            return lambda labels: key in labels
        operator = self._next()
        if operator not in _OPERATORS:
            raise _unexpected(operator, ", expected: in, notin, =, ==, !=, gt, lt")
        values = self._values() if operator in ("in", "notin") else {self._value()}
        _check_values(key, operator, sorted(values))
        return _predicate(key, operator, values)

    def _identifier(self) -> str:
        found = self._next()
        if found in _MARKS:
            raise _unexpected(found, ", expected: identifier")
        return found

    def _value(self) -> str:
        return "" if self._ahead in ("", ",") else self._identifier()

    def _values(self) -> set[str]:
        """What stands in brackets; nothing before or after a comma is an empty value."""
        if self._ahead != "(":
            raise _unexpected(self._ahead, " expected: '('")
        self._next()
        if self._ahead in _MARKS - {",", ")"}:
            raise _unexpected(self._ahead, ", expected: ',', ')' or identifier")
        found = set()
        while True:
            found.add("" if self._ahead in (",", ")") else self._identifier())
            end = self._next()
            if end == ")":
                return found
            if end != ",":
                raise _unexpected(end, ", expected: ',' or ')'")


def _unexpected(token: str, rest: str) -> Exception:
    return _bad_requirement(f"found '{token}'{rest}")


def _bad_requirement(why: str) -> Exception:
    return bad_request(f"unable to parse requirement: {why}")


def _check_values(key: str, operator: str, values: Iterable[str]) -> None:
    problems = []
    for index, value in enumerate(values):
        if operator in ("<", ">") and not _INTEGER.fullmatch(value):
            rule = "for 'Gt', 'Lt' operators, the value must be an integer"
            problems.append(f"values[{index}]: Invalid value: {shown(value)}: {rule}")
        rule = value_problem(value)
        if rule:
            problems.append(f"values[{index}][{key}]: Invalid value: {shown(value)}: {rule}")
    if problems:
        listed = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise _bad_requirement(listed)


def _predicate(key: str, operator: str, values: set[str]) -> LabelPredicate:
    if operator in ("in", "=", "=="):
        return lambda labels: labels.get(key) in values
    if operator in ("notin", "!="):
        return lambda labels: labels.get(key) not in values
    (bound,) = map(int, values)

    def holds(labels: Labels) -> bool:
        mine = labels.get(key, "")
        if not _INTEGER.fullmatch(mine):
            return False
        return int(mine) > bound if operator == ">" else int(mine) < bound

    return holds
