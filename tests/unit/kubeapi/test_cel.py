"""The expressions of x-kubernetes-validations: values, errors, types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kubeapi.cel.check import check
from harness.kubeapi.cel.evaluate import evaluate
from harness.kubeapi.cel.functions import EvaluationError
from harness.kubeapi.cel.syntax import BadExpression, parse

SELF = {
    "n": 3,
    "text": "a-b",
    "flag": True,
    "list": [1, 2, 3],
    "items": [{"id": "x", "n": 1}, {"id": "y", "n": 2}],
    "map": {"k": "v"},
    "subnet": "10.6.0.0/16",
}


def value(text: str) -> Any:
    return evaluate(parse(text), {"self": SELF})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7.0 / 2", 3.5),
        ("10 - 2 - 3", 5),
        ("'a' + \"b\"", "ab"),
        ("[1] + [2]", [1, 2]),
        (r"'it\'s\n' + r'\d'", "it's\n\\d"),
        ("1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", True),
        ("1 == 1.0", True),
        ("true == 1", False),
        ("'1' == 1", False),
        ("!self.flag", False),
        ("self.n == 3 ? 'yes' : 'no'", "yes"),
        ("self.n > 5 ? 1 : self.n > 2 ? 2 : 3", 2),
        ("2 in self.list", True),
        ("'k' in self.map", True),
        ("self.list[0] + self.list[2]", 4),
        ("self.map['k']", "v"),
        ("{'a': 1}.a", 1),
        ("size(self.list) == self.list.size()", True),
        ("self.list.all(x, x > 0)", True),
        ("self.list.exists(x, x > 2)", True),
        ("self.list.exists_one(x, x > 1)", False),
        ("self.list.map(x, x * 2)", [2, 4, 6]),
        ("self.list.map(x, x > 1, x * 2)", [4, 6]),
        ("self.list.filter(x, x != 2)", [1, 3]),
        ("self.items.all(a, self.items.exists_one(b, a.id == b.id))", True),
        ("self.map.all(k, k == 'k')", True),
        ("has(self.n) && !has(self.none)", True),
        ("cel.bind(x, self.n, x + x)", 6),
        ("self.text.split('-')", ["a", "b"]),
        ("self.text.substring(0, self.text.indexOf('-'))", "a"),
        ("self.text.substring(self.text.indexOf('-') + 1)", "b"),
        (
            "self.text.matches('^[a-z]-') && self.text.startsWith('a') && self.text.contains('-')",
            True,
        ),
        ("['a', 'b'].join('/') + ' x '.trim() + 'Q'.lowerAscii()", "a/bxq"),
        ("string(self.n) + string(true)", "3true"),
        ("int('4') + int(2.7)", 6),
        ("[3, 1].min() + self.list.sum()", 7),
        ("sets.contains([1, 2], [2]) && !sets.intersects([1], [2])", True),
        ("isIP('10.0.0.1') && !isIP('10.0.0') && !isIP('fe80::1%eth0')", True),
        ("isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.1')", True),
        ("cidr(self.subnet).containsIP('10.6.3.4')", True),
        ("cidr(self.subnet).containsIP(ip('fd00::1'))", False),
        ("cidr(self.subnet).containsCIDR('10.6.1.0/24')", True),
        ("cidr('10.6.1.0/24').containsCIDR(self.subnet)", False),
        ("cidr('10.6.7.8/16').masked() == cidr(self.subnet)", True),
        ("cidr(self.subnet).prefixLength()", 16),
        ("ip('fd00::1').family() == 6 && cidr(self.subnet).ip().family() == 4", True),
        ("string(cidr('10.6.7.8/16').masked())", "10.6.0.0/16"),
        ("ip.isCanonical('fd00::0')", False),
        ("// a comment\n1", 1),
    ],
)
def test_values(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "self.none",
        "self.list[9]",
        "1 / 0",
        "1 % 0",
        "'a' < 1",
        "'a' + 1",
        "unknown",
        "nothing(1)",
        "self.n.all(x, true)",
        "ip('x')",
        "self.n && true",
        "has(self.n.x)",
        "cidr('10.0.0.1')",
        "'abc'.substring(2, 1)",
    ],
)
def test_expressions_without_a_value(text: str) -> None:
    with pytest.raises(EvaluationError):
        value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true || self.none", True),
        ("self.none || true", True),
        ("false && self.none", False),
        ("self.none && false", False),
        ("self.list.exists(x, x == 3 || self.none)", True),
        ("self.items.all(i, i.none == 1 && false)", False),
    ],
)
def test_errors_are_absorbed_when_the_other_side_decides(text: str, expected: bool) -> None:
    assert value(text) is expected


def test_errors_remain_when_nothing_decides() -> None:
    for text in ("self.none || false", "true && self.none", "self.list.all(x, self.none == x)"):
        with pytest.raises(EvaluationError):
            value(text)


@pytest.mark.parametrize(
    "text", ["", "1 +", "(1", "[1", "a b", "self.", "'open", "1 ? 2", "#", "{1}"]
)
def test_texts_that_are_no_expression(text: str) -> None:
    with pytest.raises(BadExpression):
        parse(text)


@given(st.text(max_size=20))
def test_noise_is_refused_or_parsed(text: str) -> None:
    try:
        parse(text)
    except BadExpression:
        return


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"type": "string"}}},
        },
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


@pytest.mark.parametrize(
    "text",
    ["self.n > 1", "self.items.all(i, i.id != '')", "self.map.x == ''", "self.free.any == 1"],
)
def test_fields_that_are_there(text: str) -> None:
    check(parse(text), {"self": SCHEMA})


@pytest.mark.parametrize(
    "text",
    ["self.m > 1", "self.items.all(i, i.name != '')", "self.items[0].x == 1", "[self.m]",
     "{'a': self.m}", "cel.bind(i, self.items[0], i.x)"],
)  # fmt: skip
def test_fields_that_are_not(text: str) -> None:
    with pytest.raises(BadExpression, match="undefined field"):
        check(parse(text), {"self": SCHEMA})
