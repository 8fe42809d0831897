"""Create, read, update and delete, as every kind has them."""

from __future__ import annotations

import re

import pytest
from rest import Api
from widgets import widget


def config_map(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_creation_fills_in_identity(client: Api, core: str, namespace: str) -> None:
    answer = client.create(f"{core}/configmaps", config_map("a", k="v"))
    assert answer.code == 201
    metadata = answer.body["metadata"]
    assert metadata["namespace"] == namespace
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert int(metadata["resourceVersion"]) > 0
    assert "generation" not in metadata
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("ConfigMap", "v1")


def test_client_cannot_choose_identity(client: Api, core: str) -> None:
    body = config_map("a")
    body["metadata"] = {
        "name": "a",
        "uid": "11111111-1111-1111-1111-111111111111",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "generation": 7,
        "deletionTimestamp": "2001-01-01T00:00:00Z",
    }
    metadata = client.must(client.create(f"{core}/configmaps", body))["metadata"]
    assert metadata["uid"] != "11111111-1111-1111-1111-111111111111"
    assert not metadata["creationTimestamp"].startswith("2001")
    assert "deletionTimestamp" not in metadata


def test_created_object_is_read_back(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", config_map("a", k="v")))
    assert client.must(client.get(f"{core}/configmaps/a")) == made


def test_second_creation_already_exists(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/configmaps", config_map("a")))
    answer = client.create(f"{core}/configmaps", config_map("a"))
    assert (answer.code, answer.reason) == (409, "AlreadyExists")
    assert answer.message == 'configmaps "a" already exists'
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}


def test_missing_object(client: Api, core: str) -> None:
    answer = client.get(f"{core}/configmaps/none")
    assert (answer.code, answer.reason) == (404, "NotFound")
    assert answer.message == 'configmaps "none" not found'
    assert answer.body["details"] == {"name": "none", "kind": "configmaps"}


def test_group_is_part_of_a_missing_objects_name(client: Api, namespace: str) -> None:
    answer = client.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/none")
    assert answer.message == 'deployments.apps "none" not found'
    assert answer.body["details"] == {"name": "none", "group": "apps", "kind": "deployments"}


@pytest.mark.parametrize("path", ["/api/v1/nothings", "/apis/no.group/v1/things", "/apis/apps/v9"])
def test_unknown_kind(client: Api, path: str) -> None:
    assert client.get(path).code == 404


def test_creation_in_a_missing_namespace(client: Api) -> None:
    answer = client.create("/api/v1/namespaces/no-such/configmaps", config_map("a"))
    assert (answer.code, answer.reason) == (404, "NotFound")
    assert answer.message == 'namespaces "no-such" not found'


def test_namespace_of_body_and_path_must_agree(client: Api, core: str) -> None:
    body = config_map("a")
    body["metadata"] = {"name": "a", "namespace": "other"}
    answer = client.create(f"{core}/configmaps", body)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "does not match the namespace" in answer.message


def test_generated_name(client: Api, core: str) -> None:
    body = {"metadata": {"generateName": "job-"}}
    names = {
        client.must(client.create(f"{core}/configmaps", body))["metadata"]["name"] for _ in range(3)
    }
    assert len(names) == 3
    assert all(re.fullmatch(r"job-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


def test_name_is_needed(client: Api, core: str) -> None:
    answer = client.create(f"{core}/configmaps", {"metadata": {}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes == [("metadata.name", "FieldValueRequired")]


@pytest.mark.parametrize("name", ["Upper", "-a", "a_b", "a..b"])
def test_bad_name(client: Api, core: str, name: str) -> None:
    answer = client.create(f"{core}/configmaps", config_map(name))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes == [("metadata.name", "FieldValueInvalid")]
    assert answer.message.startswith(
        f'ConfigMap "{name}" is invalid: metadata.name: Invalid value: "{name}": '
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters"
    )


@pytest.mark.parametrize(
    ("labels", "field"),
    [({"a b": "c"}, "metadata.labels"), ({"a": "b c"}, "metadata.labels")],
)
def test_bad_labels(client: Api, core: str, labels: dict[str, str], field: str) -> None:
    body = config_map("a")
    body["metadata"] = {"name": "a", "labels": labels}
    answer = client.create(f"{core}/configmaps", body)
    assert (answer.code, answer.causes) == (422, [(field, "FieldValueInvalid")])


def test_update_replaces(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", config_map("a", old="1")))
    made["data"] = {"new": "2"}
    answer = client.put(f"{core}/configmaps/a", made)
    assert answer.code == 200
    assert answer.body["data"] == {"new": "2"}
    assert int(answer.body["metadata"]["resourceVersion"]) > int(
        made["metadata"]["resourceVersion"]
    )
    assert answer.body["metadata"]["uid"] == made["metadata"]["uid"]


def test_stale_update_conflicts(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", config_map("a", k="1")))
    client.must(client.put(f"{core}/configmaps/a", {**made, "data": {"k": "2"}}))
    answer = client.put(f"{core}/configmaps/a", {**made, "data": {"k": "3"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}


def test_update_without_version_is_unconditional(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/configmaps", config_map("a", k="1")))
    assert client.put(f"{core}/configmaps/a", config_map("a", k="2")).body["data"] == {"k": "2"}


def test_update_of_another_uid_conflicts(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/configmaps", config_map("a")))
    body = config_map("a")
    body["metadata"] = {"name": "a", "uid": "11111111-1111-1111-1111-111111111111"}
    answer = client.put(f"{core}/configmaps/a", body)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "UID" in answer.message


def test_update_under_another_name(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/configmaps", config_map("a")))
    answer = client.put(f"{core}/configmaps/a", config_map("b"))
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message == ("the name of the object (b) does not match the name on the URL (a)")


def test_update_of_nothing(client: Api, core: str) -> None:
    answer = client.put(f"{core}/configmaps/a", config_map("a"))
    assert (answer.code, answer.message) == (404, 'configmaps "a" not found')


def test_update_that_changes_nothing_keeps_the_version(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", config_map("a", k="1")))
    again = client.must(client.put(f"{core}/configmaps/a", made))
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_deletion_answers_a_status(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", config_map("a")))
    answer = client.delete(f"{core}/configmaps/a")
    assert (answer.code, answer.body["status"]) == (200, "Success")
    assert answer.body["details"] == {
        "name": "a",
        "kind": "configmaps",
        "uid": made["metadata"]["uid"],
    }
    assert client.get(f"{core}/configmaps/a").code == 404


def test_deletion_of_nothing(client: Api, core: str) -> None:
    assert client.delete(f"{core}/configmaps/a").reason == "NotFound"


def test_deletion_of_another_uid_conflicts(client: Api, core: str) -> None:
    client.must(client.create(f"{core}/configmaps", config_map("a")))
    wrong = {"preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}}
    answer = client.delete(f"{core}/configmaps/a", wrong)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "the UID in the precondition (11111111-1111-1111-1111-111111111111)" in answer.message
    assert client.get(f"{core}/configmaps/a").code == 200


def test_deletion_of_a_stale_version_conflicts(client: Api, core: str) -> None:
    made = client.must(client.create(f"{core}/configmaps", config_map("a", k="1")))
    client.must(client.put(f"{core}/configmaps/a", config_map("a", k="2")))
    stale = {"preconditions": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    assert client.delete(f"{core}/configmaps/a", stale).reason == "Conflict"


def test_deletion_of_a_collection_by_label(client: Api, core: str) -> None:
    for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
        body = config_map(name)
        body["metadata"] = {"name": name, "labels": {"color": color}}
        client.must(client.create(f"{core}/configmaps", body))
    answer = client.delete(f"{core}/configmaps", labelSelector="color=red")
    assert answer.code == 200
    left = client.get(f"{core}/configmaps").body["items"]
    assert "b" in [obj["metadata"]["name"] for obj in left]
    assert not {"a", "c"} & {obj["metadata"]["name"] for obj in left}


def test_dry_run_changes_nothing(client: Api, core: str) -> None:
    answer = client.create(f"{core}/configmaps", config_map("a", k="1"), dryRun="All")
    assert (answer.code, answer.body["data"]) == (201, {"k": "1"})
    assert client.get(f"{core}/configmaps/a").code == 404
    made = client.must(client.create(f"{core}/configmaps", config_map("a", k="1")))
    changed = client.put(f"{core}/configmaps/a", config_map("a", k="2"), dryRun="All")
    assert changed.body["data"] == {"k": "2"}
    client.must(client.delete(f"{core}/configmaps/a", dryRun="All"))
    assert client.get(f"{core}/configmaps/a").body == made


def test_config_map_values_are_strings(client: Api, core: str) -> None:
    body = {**config_map("a"), "data": {"ClusterConfiguration": {"networking": {}}}}
    answer = client.create(f"{core}/configmaps", body)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal '
        "object into Go struct field ConfigMap.data of type string"
    )


def test_unknown_fields_by_mode(client: Api, core: str) -> None:
    body = {**config_map("a"), "extra": 1}
    strict = client.create(f"{core}/configmaps", body, fieldValidation="Strict")
    assert (strict.code, strict.reason) == (400, "BadRequest")
    assert strict.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: '
        'strict decoding error: unknown field "extra"'
    )
    warned = client.create(f"{core}/configmaps", body, fieldValidation="Warn")
    assert warned.headers["Warning"] == '299 - "unknown field \\"extra\\""'
    assert "extra" not in warned.body
    body["metadata"] = {"name": "b"}
    ignored = client.create(f"{core}/configmaps", body, fieldValidation="Ignore")
    assert (ignored.code, "Warning" in ignored.headers) == (201, False)


def test_wrong_version_in_the_body(client: Api, core: str) -> None:
    answer = client.create(f"{core}/configmaps", {**config_map("a"), "apiVersion": "apps/v1"})
    assert (answer.code, answer.reason) == (400, "BadRequest")


def test_body_that_is_no_json(client: Api, core: str) -> None:
    answer = client.create(f"{core}/configmaps", b"{", content_type="application/json")
    assert (answer.code, answer.reason) == (400, "BadRequest")


def test_yaml_is_understood(client: Api, core: str) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: '1'}\n"
    answer = client.create(f"{core}/configmaps", text, content_type="application/yaml")
    assert (answer.code, answer.body["data"]) == (201, {"k": "1"})


def test_unknown_body_format(client: Api, core: str) -> None:
    answer = client.create(f"{core}/configmaps", b"x", content_type="text/plain")
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")


def test_too_much_data(client: Api, core: str) -> None:
    answer = client.create(f"{core}/configmaps", config_map("a", k="v" * (1024 * 1024 + 1)))
    assert (answer.code, [reason for _, reason in answer.causes]) == (422, ["FieldValueTooLong"])


def test_object_that_is_too_large_to_store(client: Api, widget_path: str) -> None:
    large = widget("a", free={"x": "y" * 1_400_000})
    assert client.create(widget_path, large).code == 201
    answer = client.patch(f"{widget_path}/a", {"spec": {"free": {"z": "y" * 300_000}}})
    assert (answer.code, answer.message) == (500, "etcdserver: request is too large")


def test_unknown_answer_format(client: Api, core: str) -> None:
    assert client.get(f"{core}/configmaps", accept="text/plain").code == 406
