"""Definitions of custom resources: their own rules, and how kinds come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest import Api, eventually
from widgets import API, GROUP, definition, established

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def conditions(crd: dict[str, Any]) -> dict[str, str]:
    found = (crd.get("status") or {}).get("conditions") or []
    return {each["type"]: each["status"] for each in found}


def test_names_are_completed(client: Api) -> None:
    made = client.must(client.create(CRDS, definition("firsts", "First")))
    assert made["spec"]["names"]["singular"] == "first"
    assert made["spec"]["names"]["listKind"] == "FirstList"
    assert made["spec"]["conversion"] == {"strategy": "None"}
    assert made["metadata"]["generation"] == 1


def test_definition_becomes_established(client: Api) -> None:
    established(client, definition("seconds", "Second"))
    crd = client.must(client.get(f"{CRDS}/seconds.{GROUP}"))
    assert conditions(crd) == {"NamesAccepted": "True", "Established": "True"}
    assert crd["status"]["acceptedNames"]["kind"] == "Second"
    assert crd["status"]["storedVersions"] == ["v1"]


def test_kind_is_discovered(client: Api) -> None:
    established(client, definition("thirds", "Third"))
    eventually(lambda: "thirds" in {each["name"] for each in resources(client)})
    found = {each["name"]: each for each in resources(client)}
    third = found["thirds"]
    assert (third["kind"], third["singularName"]) == ("Third", "third")
    assert (third["shortNames"], third["categories"]) == (["thi"], ["contract"])
    assert third["namespaced"]
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(third["verbs"])
    assert "thirds/status" in found


def resources(client: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.must(client.get(API))["resources"]
    return found


def test_kind_goes_with_its_definition(client: Api, namespace: str) -> None:
    established(client, definition("fourths", "Fourth"))
    path = f"{API}/namespaces/{namespace}/fourths"
    body = {"apiVersion": f"{GROUP}/v1", "kind": "Fourth", "metadata": {"name": "a"}}
    client.must(client.create(path, {**body, "spec": {"size": 1}}))
    client.must(client.delete(f"{CRDS}/fourths.{GROUP}"))
    eventually(lambda: client.get(f"{CRDS}/fourths.{GROUP}").code == 404)
    eventually(lambda: client.get(path).code == 404)
    established(client, definition("fourths", "Fourth"))
    assert client.must(client.get(path))["items"] == []


def test_definition_waits_for_objects_with_finalizers(client: Api, namespace: str) -> None:
    established(client, definition("fifths", "Fifth"))
    path = f"{API}/namespaces/{namespace}/fifths"
    metadata = {"name": "a", "finalizers": ["contract.example.com/hold"]}
    body = {"apiVersion": f"{GROUP}/v1", "kind": "Fifth", "metadata": metadata}
    client.must(client.create(path, {**body, "spec": {"size": 1}}))
    client.must(client.delete(f"{CRDS}/fifths.{GROUP}"))
    eventually(lambda: "deletionTimestamp" in client.get(f"{path}/a").body["metadata"])
    crd = client.must(client.get(f"{CRDS}/fifths.{GROUP}"))
    assert conditions(crd)["Terminating"] == "True"
    assert crd["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    client.must(client.patch(f"{path}/a", {"metadata": {"finalizers": None}}))
    eventually(lambda: client.get(f"{CRDS}/fifths.{GROUP}").code == 404)


def test_schema_may_change(client: Api, namespace: str) -> None:
    established(client, definition("sixths", "Sixth"))
    path = f"{API}/namespaces/{namespace}/sixths"
    body = {"apiVersion": f"{GROUP}/v1", "kind": "Sixth", "metadata": {"name": "a"}}
    assert client.create(path, {**body, "spec": {"size": 500}}, dryRun="All").code == 422
    size = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum"
    operations = [{"op": "replace", "path": size, "value": 1000}]
    kind = "application/json-patch+json"
    client.must(client.patch(f"{CRDS}/sixths.{GROUP}", operations, kind))
    large = {**body, "spec": {"size": 500}}
    eventually(lambda: client.create(path, large, dryRun="All").code == 201)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda crd: crd["metadata"].update(name="wrong"), "metadata.name"),
        (lambda crd: crd["spec"].update(scope="Everywhere"), "spec.scope"),
        (lambda crd: crd["spec"]["versions"][0].update(storage=False), "spec.versions"),
        (
            lambda crd: crd["spec"]["versions"][0].pop("schema"),
            "spec.versions[0].schema.openAPIV3Schema",
        ),
        (
            lambda crd: schema_of(crd)["properties"]["spec"].pop("type"),
            "spec.validation.openAPIV3Schema.properties[spec].type",
        ),
        (
            lambda crd: schema_of(crd)["properties"]["spec"]["properties"]["tags"].pop("items"),
            "spec.validation.openAPIV3Schema.properties[spec].properties[tags].items",
        ),
        (
            lambda crd: schema_of(crd)["properties"]["spec"]["properties"]["color"].update(
                default="blue"
            ),
            "spec.validation.openAPIV3Schema.properties[spec].properties[color].default",
        ),
    ],
)
def test_definitions_that_are_refused(
    client: Api, change: Callable[[dict[str, Any]], object], field: str
) -> None:
    crd = definition("nevers", "Never")
    crd["spec"]["versions"][0]["schema"] = copied(crd["spec"]["versions"][0]["schema"])
    change(crd)
    answer = client.create(CRDS, crd)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert field in {found for found, _ in answer.causes}, answer.causes


def copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def schema_of(crd: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def test_two_versions_of_one_object(client: Api, namespace: str) -> None:
    crd = definition("sevenths", "Seventh")
    old = {**copied(crd["spec"]["versions"][0]), "name": "v1beta1", "storage": False}
    crd["spec"]["versions"].append(old)
    established(client, crd)
    new_path = f"{API}/namespaces/{namespace}/sevenths"
    old_path = new_path.replace("/v1/", "/v1beta1/")
    body = {"apiVersion": f"{GROUP}/v1beta1", "kind": "Seventh", "metadata": {"name": "a"}}
    eventually(lambda: client.get(old_path).code == 200)
    made = client.must(client.create(old_path, {**body, "spec": {"size": 1}}))
    assert made["apiVersion"] == f"{GROUP}/v1beta1"
    seen = client.must(client.get(f"{new_path}/a"))
    assert (seen["apiVersion"], seen["metadata"]["uid"]) == (
        f"{GROUP}/v1",
        made["metadata"]["uid"],
    )


def keyed(**items: Any) -> dict[str, Any]:
    return {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["id"],
        "items": {"type": "object", "properties": {"id": {"type": "string"}}, **items},
    }


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (keyed(), "items.properties[id].default"),
        (keyed(properties={"x": {"type": "string"}}), "x-kubernetes-list-map-keys"),
        (keyed(nullable=True, required=["id"]), "items.nullable"),
        (keyed(type="string"), "items.type"),
        ({"type": "object", "x-kubernetes-list-type": "map"}, "type"),
        (
            {
                "type": "array",
                "x-kubernetes-list-type": "set",
                "items": {"type": "object", "properties": {"a": {"type": "string"}}},
            },
            "items.x-kubernetes-map-type",
        ),
        (
            {"type": "array", "x-kubernetes-list-type": "odd", "items": {"type": "string"}},
            "x-kubernetes-list-type",
        ),
        ({"type": "object", "x-kubernetes-map-type": "odd"}, "x-kubernetes-map-type"),
        ({"type": "string", "x-kubernetes-map-type": "atomic"}, "type"),
        ({"type": "object", "id": "x"}, "id"),
        ({"type": "string", "$ref": "x"}, "$ref"),
        ({"type": "string", "pattern": "("}, "pattern"),
        ({"type": "string", "pattern": "a(?=b)"}, "pattern"),
    ],
)
def test_schemas_that_are_refused(client: Api, schema: dict[str, Any], field: str) -> None:
    crd = definition("nevers", "Never")
    whole = {"type": "object", "properties": {"spec": schema}}
    crd["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": whole}
    answer = client.create(CRDS, crd)
    where = "spec.validation.openAPIV3Schema.properties[spec]."
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert where + field in {found for found, _ in answer.causes}, answer.causes


def test_columns_that_are_refused(client: Api) -> None:
    bad = {"name": "", "type": "odd", "jsonPath": "spec"}
    answer = client.create(CRDS, definition("nevers", "Never", additionalPrinterColumns=[bad]))
    fields = [found.rpartition(".")[2] for found, _ in answer.causes]
    assert (answer.code, fields) == (422, ["JSONPath", "name", "type"])


def test_versions_have_names_of_their_own(client: Api) -> None:
    crd = definition("nevers", "Never")
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "storage": False})
    assert ("spec.versions", "FieldValueInvalid") in client.create(CRDS, crd).causes


def test_deprecated_versions_warn(client: Api, namespace: str) -> None:
    crd = definition("eighths", "Eighth", deprecated=True)
    established(client, crd)
    told = client.get(f"{API}/namespaces/{namespace}/eighths").headers["Warning"]
    assert told == f'299 - "{GROUP}/v1 Eighth is deprecated"'


def test_an_absent_status_is_not_looked_at(client: Api, namespace: str) -> None:
    crd = definition("ninths", "Ninth")
    schema = copied(crd["spec"]["versions"][0]["schema"])
    schema["openAPIV3Schema"]["properties"]["status"]["required"] = ["ready"]
    crd["spec"]["versions"][0]["schema"] = schema
    established(client, crd)
    path = f"{API}/namespaces/{namespace}/ninths"
    body = {"apiVersion": f"{GROUP}/v1", "kind": "Ninth", "metadata": {"name": "a"}}
    client.must(client.create(path, {**body, "spec": {"size": 1}}))
    assert client.patch(f"{path}/a/status", {"metadata": {}}).code == 200
    answer = client.patch(f"{path}/a/status", {"status": {}})
    assert answer.causes == [("status.ready", "FieldValueRequired")]
