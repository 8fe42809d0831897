"""Custom resources: validation, defaults, pruning, status, generations."""

from __future__ import annotations

from typing import Any

import pytest
from rest import JSON_PATCH, MERGE, STRATEGIC, TABLE, Api
from widgets import widget


def test_defaults_are_filled_in(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, widget("a")))
    assert made["spec"] == {"size": 1, "color": "red", "nested": {"depth": 3}}
    assert made["metadata"]["generation"] == 1


def test_defaults_inside_given_objects(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, widget("a", nested={"optional": "x"})))
    assert made["spec"]["nested"] == {"depth": 3, "optional": "x"}


def test_null_takes_the_default_or_goes(client: Api, widget_path: str) -> None:
    body = widget("a", color=None, address=None, nested={"optional": None})
    made = client.must(client.create(widget_path, body))
    assert made["spec"] == {
        "size": 1,
        "color": "red",
        "nested": {"depth": 3, "optional": None},
    }


def test_unknown_fields_are_pruned(client: Api, widget_path: str) -> None:
    body = widget("a", extra=1, nested={"more": 2}, free={"any": {"thing": [1]}})
    made = client.must(client.create(widget_path, body))
    assert "extra" not in made["spec"]
    assert made["spec"]["nested"] == {"depth": 3}
    assert made["spec"]["free"] == {"any": {"thing": [1]}}


def test_unknown_fields_are_refused_when_strict(client: Api, widget_path: str) -> None:
    body = widget("a", extra=1, nested={"more": 2})
    answer = client.create(widget_path, body, fieldValidation="Strict")
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: '
        'unknown field "spec.extra", unknown field "spec.nested.more"'
    )


def test_unknown_fields_are_warned_of(client: Api, widget_path: str) -> None:
    answer = client.create(widget_path, widget("a", extra=1))
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.extra\\""'


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        ({"size": None}, "spec.size", "FieldValueRequired"),
        ({"size": "big"}, "spec.size", "FieldValueTypeInvalid"),
        ({"size": 0}, "spec.size", "FieldValueInvalid"),
        ({"size": 101}, "spec.size", "FieldValueInvalid"),
        ({"size": 1.5}, "spec.size", "FieldValueTypeInvalid"),
        ({"color": "blue"}, "spec.color", "FieldValueNotSupported"),
        ({"address": "10.0.0.256"}, "spec.address", "FieldValueTypeInvalid"),
        ({"name": "A"}, "spec.name", "FieldValueInvalid"),
        ({"name": "abcdef"}, "spec.name", "FieldValueTooLong"),
        ({"tags": ["a", "b", "c"]}, "spec.tags", "FieldValueTooMany"),
        ({"tags": [1]}, "spec.tags[0]", "FieldValueTypeInvalid"),
        ({"tags": "a"}, "spec.tags", "FieldValueTypeInvalid"),
        ({"unique": ["a", "a"]}, "spec.unique[1]", "FieldValueDuplicate"),
        ({"port": True}, "spec.port", "FieldValueTypeInvalid"),
        ({"free": "x"}, "spec.free", "FieldValueTypeInvalid"),
        ({"parts": [{"count": 1}]}, "spec.parts[0].id", "FieldValueRequired"),
        ({"parts": [{"id": "a"}, {"id": "a"}]}, "spec.parts[1]", "FieldValueDuplicate"),
        ({"labels": {"a": 1}}, "spec.labels.a", "FieldValueTypeInvalid"),
    ],
)
def test_schema_violations(
    client: Api, widget_path: str, spec: dict[str, Any], field: str, reason: str
) -> None:
    answer = client.create(widget_path, widget("a", **spec))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert (field, reason) in answer.causes
    assert answer.body["details"]["kind"] == "Widget"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"size": None}, "spec.size: Required value"),
        (
            {"size": "big"},
            'spec.size: Invalid value: "string": spec.size in body must be of type integer: '
            '"string"',
        ),
        (
            {"size": 0},
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
        ),
        (
            {"size": 101},
            "spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100",
        ),
        (
            {"color": "blue"},
            'spec.color: Unsupported value: "blue": supported values: "red", "green"',
        ),
        (
            {"address": "x"},
            'spec.address: Invalid value: "x": spec.address in body must be of type ipv4: "x"',
        ),
        (
            {"name": "ABC"},
            "spec.name: Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'",
        ),
        (
            {"name": "a"},
            'spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long',
        ),
        ({"unique": ["a", "a"]}, 'spec.unique[1]: Duplicate value: "a"'),
        ({"parts": [{"id": "a"}, {"id": "a"}]}, 'spec.parts[1]: Duplicate value: {"id":"a"}'),
    ],
)
def test_words_of_violations(
    client: Api, widget_path: str, spec: dict[str, Any], message: str
) -> None:
    answer = client.create(widget_path, widget("a", **spec))
    assert answer.message == f'Widget.contract.example.com "a" is invalid: {message}'


def test_all_violations_are_named_at_once(client: Api, widget_path: str) -> None:
    answer = client.create(widget_path, widget("a", size=0, color="blue"))
    assert answer.causes == [
        ("spec.color", "FieldValueNotSupported"),
        ("spec.size", "FieldValueInvalid"),
    ]
    assert answer.message.startswith('Widget.contract.example.com "a" is invalid: [')


def test_integers_and_strings_for_a_port(client: Api, widget_path: str) -> None:
    assert client.create(widget_path, widget("a", port=80)).code == 201
    assert client.create(widget_path, widget("b", port="http")).code == 201


def test_kind_is_needed(client: Api, widget_path: str) -> None:
    answer = client.create(widget_path, {"metadata": {"name": "a"}, "spec": {"size": 1}})
    assert (answer.code, answer.reason) == (400, "BadRequest")


def test_bad_metadata(client: Api, widget_path: str) -> None:
    body = {**widget("a"), "metadata": {"name": "a", "labels": {"a": 1}}}
    assert client.create(widget_path, body).code == 400


def test_status_is_not_created(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, {**widget("a"), "status": {"ready": True}}))
    assert "status" not in made


def test_status_is_written_apart(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, widget("a")))
    body = {**made, "spec": {"size": 50}, "status": {"ready": True}}
    answer = client.must(client.put(f"{widget_path}/a/status", body))
    assert answer["status"] == {"ready": True}
    assert answer["spec"] == made["spec"]
    assert answer["metadata"]["generation"] == 1


def test_object_is_written_without_its_status(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a")))
    status = client.must(client.patch(f"{widget_path}/a/status", {"status": {"count": 1}}))
    body = {**status, "spec": {"size": 2}, "status": {"count": 9}}
    answer = client.must(client.put(f"{widget_path}/a", body))
    assert answer["status"] == {"count": 1}
    assert answer["metadata"]["generation"] == 2


def test_status_keeps_metadata(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a")))
    body = {"metadata": {"labels": {"a": "b"}}, "status": {"count": 1}}
    answer = client.must(client.patch(f"{widget_path}/a/status", body))
    assert "labels" not in answer["metadata"]


def test_status_is_validated(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a")))
    answer = client.patch(f"{widget_path}/a/status", {"status": {"count": -1}})
    assert answer.causes == [("status.count", "FieldValueInvalid")]


def test_status_of_a_stale_version_conflicts(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, widget("a")))
    client.must(client.patch(f"{widget_path}/a", {"spec": {"size": 2}}))
    answer = client.put(f"{widget_path}/a/status", {**made, "status": {"count": 1}})
    assert (answer.code, answer.reason) == (409, "Conflict")


def test_status_is_read_by_its_path(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, widget("a")))
    assert client.get(f"{widget_path}/a/status").body == made


def test_unknown_subresource(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a")))
    assert client.get(f"{widget_path}/a/scale").code == 404


def test_update_needs_a_version(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a")))
    answer = client.put(f"{widget_path}/a", widget("a", size=2))
    assert (answer.code, answer.causes) == (
        422,
        [("metadata.resourceVersion", "FieldValueInvalid")],
    )
    assert answer.message.endswith("Invalid value: 0: must be specified for an update")


def test_update_of_a_stale_version_conflicts(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, widget("a")))
    client.must(client.patch(f"{widget_path}/a", {"spec": {"size": 2}}))
    answer = client.put(f"{widget_path}/a", {**made, "spec": {"size": 3}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message.startswith(
        'Operation cannot be fulfilled on widgets.contract.example.com "a": the object has been'
    )


def test_patches(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a", tags=["x"])))
    merged = client.must(client.patch(f"{widget_path}/a", {"spec": {"tags": ["y"]}}, MERGE))
    assert merged["spec"]["tags"] == ["y"]
    operations = [{"op": "add", "path": "/spec/tags/0", "value": "z"}]
    patched = client.must(client.patch(f"{widget_path}/a", operations, JSON_PATCH))
    assert patched["spec"]["tags"] == ["z", "y"]
    answer = client.patch(f"{widget_path}/a", {}, STRATEGIC)
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")


def test_generation_counts_changes_of_the_spec(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a")))
    path = f"{widget_path}/a"
    labelled = client.must(client.patch(path, {"metadata": {"labels": {"a": "b"}}}))
    assert labelled["metadata"]["generation"] == 1
    changed = client.must(client.patch(path, {"spec": {"size": 2}}))
    assert changed["metadata"]["generation"] == 2
    same = client.must(client.patch(path, {"spec": {"size": 2}}))
    assert same["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]


def test_table(client: Api, widget_path: str) -> None:
    client.must(client.create(widget_path, widget("a", tags=["x", "y"])))
    client.must(client.create(widget_path, widget("b", color="green", size=7)))
    client.must(client.patch(f"{widget_path}/b/status", {"status": {"ready": True}}))
    answer = client.must(client.get(widget_path, accept=TABLE))
    assert (answer["kind"], answer["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    columns = [(column["name"], column["priority"]) for column in answer["columnDefinitions"]]
    assert columns == [
        ("Name", 0),
        ("Size", 0),
        ("Color", 0),
        ("Ready", 0),
        ("First", 0),
        ("Made", 1),
    ]
    cells = [row["cells"][:-1] for row in answer["rows"]]
    assert cells == [["a", 1, "red", None, "x"], ["b", 7, "green", True, None]]
    assert answer["rows"][0]["cells"][-1].endswith("s")
    assert answer["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_deletion_answers_a_status(client: Api, widget_path: str) -> None:
    made = client.must(client.create(widget_path, widget("a")))
    answer = client.delete(f"{widget_path}/a")
    assert answer.body["status"] == "Success"
    assert answer.body["details"] == {
        "name": "a",
        "group": "contract.example.com",
        "kind": "widgets",
        "uid": made["metadata"]["uid"],
    }
