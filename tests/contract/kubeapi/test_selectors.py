"""Selectors in queries: what they select, and what is said of texts that are none."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rest import Api

LABELS: Mapping[str, Mapping[str, str]] = {
    "x": {"a": "1"},
    "y": {"a": "2", "b": ""},
    "z": {"app": "5", "x/y": "1"},
}


@pytest.fixture
def path(client: Api, core: str) -> str:
    """A collection of ConfigMaps with LABELS."""
    for name, labels in LABELS.items():
        made = client.create(f"{core}/configmaps", {"metadata": {"name": name, "labels": labels}})
        client.must(made)
    return f"{core}/configmaps"


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("a=1", "x"),
        ("a!=1", "yz"),
        ("a in (1, 2),b", "y"),
        ("a notin (1)", "yz"),
        ("b in ()", "y"),
        ("b in (,)", "y"),
        ("a,!b", "x"),
        ("app>4", "z"),
        ("a<2", "x"),
        ("x/y=1", "z"),
        ("in=1", ""),
        (" a  in(1) ", "x"),
    ],
)
def test_labels(client: Api, path: str, selector: str, names: str) -> None:
    found = client.must(client.get(path, labelSelector=selector))
    assert "".join(item["metadata"]["name"] for item in found["items"]) == names


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("a=1,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a=1 b", "found 'b', expected: ',' or 'end of string'"),
        ("!a=1", "found '=', expected: ',' or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in 1", "unable to parse requirement: found '1' expected: '('"),
        ("a in (1 2)", "unable to parse requirement: found '2', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a===1", "unable to parse requirement: found '=', expected: identifier"),
        (
            "a>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        (
            f"a={'x' * 64}",
            f'unable to parse requirement: values[0][a]: Invalid value: "{"x" * 64}": '
            "must be no more than 63 bytes",
        ),
        (
            "/y",
            'unable to parse requirement: <nil>: Invalid value: "/y": '
            "prefix part must be non-empty",
        ),
    ],
)
def test_texts_that_select_nothing(client: Api, path: str, selector: str, message: str) -> None:
    answer = client.get(path, labelSelector=selector)
    assert (answer.code, answer.reason, answer.message) == (400, "BadRequest", message)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("metadata.name=x", "x"),
        ("metadata.name!=x,metadata.name!=y", "z"),
        (r"metadata.name=a\,b", ""),
        ("metadata.name=x,", "x"),
        ("=", "xyz"),
    ],
)
def test_fields(client: Api, path: str, selector: str, names: str) -> None:
    found = client.must(client.get(path, fieldSelector=selector))
    assert "".join(item["metadata"]["name"] for item in found["items"]) == names


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        (r"metadata.name=a\b", r"invalid field selector: invalid escape sequence: \b"),
        ("metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        (
            " metadata.name=x",
            '" metadata.name" is not a known field selector: '
            'only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_fields_that_nobody_can_select_by(
    client: Api, path: str, selector: str, message: str
) -> None:
    answer = client.get(path, fieldSelector=selector)
    assert (answer.code, answer.message) == (400, message)
