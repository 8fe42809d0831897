"""Options of requests: those that are refused, and forms that cannot be had."""

from __future__ import annotations

from typing import Any

import pytest
from rest import MERGE, Api, unique

FORM = "application/json;as={};v={};g=meta.k8s.io"


@pytest.fixture
def path(client: Api, core: str) -> str:
    client.must(client.create(f"{core}/configmaps", {"metadata": {"name": "a"}}))
    return f"{core}/configmaps"


@pytest.mark.parametrize(
    ("query", "causes"),
    [
        ({"fieldManager": "x" * 129}, [("fieldManager", "FieldValueTooLong")]),
        ({"fieldManager": "a\tb"}, [("fieldManager", "FieldValueInvalid")]),
        (
            {"dryRun": "Some", "fieldValidation": "Hard"},
            [("dryRun", "FieldValueNotSupported"), ("fieldValidation", "FieldValueNotSupported")],
        ),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_writes(
    client: Api, path: str, method: str, query: dict[str, str], causes: list[tuple[str, str]]
) -> None:
    target = path if method == "POST" else f"{path}/a"
    media = {"content_type": MERGE} if method == "PATCH" else {}
    answer = client.request(method, target, {"metadata": {"name": "a"}}, **media, **query)
    assert (answer.code, answer.reason, answer.causes) == (422, "Invalid", causes)


@pytest.mark.parametrize(
    ("query", "causes"),
    [
        (
            {"resourceVersionMatch": "Odd"},
            [
                ("resourceVersionMatch", "FieldValueForbidden"),
                ("resourceVersionMatch", "FieldValueNotSupported"),
            ],
        ),
        ({"sendInitialEvents": "true"}, [("sendInitialEvents", "FieldValueForbidden")]),
        (
            {"watch": "1", "resourceVersionMatch": "NotOlderThan"},
            [("resourceVersionMatch", "FieldValueForbidden")],
        ),
    ],
)
def test_lists_and_watches(
    client: Api, path: str, query: dict[str, str], causes: list[tuple[str, str]]
) -> None:
    answer = client.get(path, **query)
    assert (answer.code, answer.causes) == (422, causes)


def test_a_negative_limit_is_none(client: Api, path: str) -> None:
    assert len(client.must(client.get(path, limit=-1))["items"]) == 1
    assert client.get(path, timeoutSeconds="x").code == 400


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"dryRun": ["Some"]}, "dryRun"),
        ({"propagationPolicy": "Odd"}, "propagationPolicy"),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, "propagationPolicy"),
    ],
)
def test_deletions(client: Api, path: str, options: dict[str, Any], field: str) -> None:
    answer = client.delete(f"{path}/a", options)
    assert (answer.code, [cause[0] for cause in answer.causes]) == (422, [field])


def test_who_waits_for_dependents_is_told_of_it(client: Api, path: str) -> None:
    name = unique("held")
    client.must(client.create(path, {"metadata": {"name": name, "finalizers": ["x.io/f"]}}))
    assert client.delete(f"{path}/{name}", {"orphanDependents": False}).code == 202
    client.must(client.patch(f"{path}/{name}", {"metadata": {"finalizers": None}}))


@pytest.mark.parametrize(
    ("target", "accept"),
    [
        ("", FORM.format("PartialObjectMetadata", "v1")),
        ("/a", FORM.format("PartialObjectMetadataList", "v1")),
        ("/a", FORM.format("Odd", "v1")),
        ("/a", FORM.format("Table", "v2")),
        ("/a", "text/html"),
    ],
)
def test_forms_that_cannot_be_had(client: Api, path: str, target: str, accept: str) -> None:
    answer = client.get(f"{path}{target}", accept=accept)
    assert (answer.code, answer.reason) == (406, "NotAcceptable")


def test_a_form_that_cannot_be_had_changes_nothing(client: Api, path: str) -> None:
    accept = FORM.format("Odd", "v1")
    assert client.patch(f"{path}/a", {"data": {"x": "1"}}, accept=accept).code == 406
    assert "data" not in client.must(client.get(f"{path}/a"))


def test_the_next_form_of_the_header_will_do(client: Api, path: str) -> None:
    accept = f"{FORM.format('Table', 'v2')},application/json"
    assert client.must(client.get(path, accept=accept))["kind"] == "ConfigMapList"


def test_deprecated_kinds_warn(client: Api, core: str) -> None:
    told = client.get(f"{core}/endpoints").headers["Warning"]
    assert told == (
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
    )
