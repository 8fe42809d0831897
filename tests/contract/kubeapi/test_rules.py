"""Rules in CEL that a schema carries."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from rest import Api, eventually
from widgets import API, GROUP, definition, established

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

SPEC: dict[str, Any] = {
    "type": "object",
    "x-kubernetes-validations": [
        {
            "rule": "!has(self.first) || !has(self.last) || self.first <= self.last",
            "message": "first is after last",
            "fieldPath": ".first",
        },
        {"rule": "has(self.subnet) || !has(self.addresses)", "message": "addresses need a subnet"},
        {
            "rule": "!has(self.subnet) || !has(self.addresses) || "
            "self.addresses.all(a, cidr(self.subnet).containsIP(a))",
            "messageExpression": "'not all addresses are in ' + self.subnet",
        },
        {
            "rule": "!has(self.secret) || self.mode == 'private'",
            "message": "only private ones have secrets",
            "reason": "FieldValueForbidden",
            "fieldPath": ".secret",
        },
    ],
    "properties": {
        "first": {"type": "integer"},
        "last": {"type": "integer"},
        "mode": {"type": "string", "default": "public", "enum": ["public", "private"]},
        "secret": {"type": "string", "maxLength": 20},
        "subnet": {
            "type": "string",
            "maxLength": 50,
            "x-kubernetes-validations": [
                {"rule": "isCIDR(self)", "message": "must be a CIDR"},
                {"rule": "self == oldSelf", "message": "cannot change"},
            ],
        },
        "addresses": {
            "type": "array",
            "maxItems": 10,
            "items": {"type": "string", "maxLength": 50},
            "x-kubernetes-validations": [
                {"rule": "self.exists(a, a.endsWith('.1'))"},
                {"rule": "self.map(a, a.split('.')[0]).all(n, n == '10')", "message": "not in 10"},
            ],
        },
        "routes": {
            "type": "array",
            "maxItems": 5,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["to"],
            "items": {
                "type": "object",
                "required": ["to"],
                "properties": {
                    "to": {"type": "string", "maxLength": 50},
                    "cost": {
                        "type": "integer",
                        "x-kubernetes-validations": [
                            {"rule": "self >= oldSelf", "message": "may only grow"}
                        ],
                    },
                },
            },
        },
    },
}


def ruled(plural: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return definition(plural, kind, schema=schema, additionalPrinterColumns=[])


@pytest.fixture(scope="module")
def _kind(session_client: Api) -> None:
    established(session_client, ruled("ruleds", "Ruled", SPEC))


@pytest.fixture
def path(_kind: None, namespace: str) -> str:
    return f"{API}/namespaces/{namespace}/ruleds"


def obj(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Ruled",
        "metadata": {"name": "a"},
        "spec": spec,
    }


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"first": 1, "last": 1},
        {"subnet": "10.6.0.0/16", "addresses": ["10.6.0.1", "10.6.3.4"]},
        {"secret": "x", "mode": "private"},
        {"routes": [{"to": "a", "cost": 1}]},
    ],
)
def test_kept_rules(client: Api, path: str, spec: dict[str, Any]) -> None:
    assert client.create(path, obj(**spec)).code == 201


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"first": 2, "last": 1}, "spec.first: Invalid value: first is after last"),
        (
            {"addresses": ["10.0.0.1"]},
            "spec: Invalid value: addresses need a subnet",
        ),
        (
            {"subnet": "10.6.0.0/16", "addresses": ["10.7.0.1"]},
            "spec: Invalid value: not all addresses are in 10.6.0.0/16",
        ),
        (
            {"secret": "x"},
            "spec.secret: Forbidden: only private ones have secrets",
        ),
        ({"subnet": "nonsense"}, 'spec.subnet: Invalid value: "nonsense": must be a CIDR'),
        (
            {"subnet": "10.6.0.0/16", "addresses": ["10.6.0.2"]},
            "spec.addresses: Invalid value: failed rule: self.exists(a, a.endsWith('.1'))",
        ),
    ],
)
def test_broken_rules(client: Api, path: str, spec: dict[str, Any], message: str) -> None:
    answer = client.create(path, obj(**spec))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message == f'Ruled.{GROUP} "a" is invalid: {message}'


def test_all_broken_rules_are_named(client: Api, path: str) -> None:
    answer = client.create(path, obj(first=2, last=1, subnet="x"))
    assert answer.causes == [
        ("spec.first", "FieldValueInvalid"),
        ("spec.subnet", "FieldValueInvalid"),
    ]


def test_rules_wait_for_sound_values(client: Api, path: str) -> None:
    answer = client.create(path, obj(first="two", last=1, subnet="x"))
    assert answer.causes == [
        ("<nil>", "FieldValueInvalid"),
        ("spec.first", "FieldValueTypeInvalid"),
    ]
    assert "some validation rules were not checked" in answer.message


def test_rules_about_changes(client: Api, path: str) -> None:
    client.must(client.create(path, obj(subnet="10.6.0.0/16")))
    answer = client.patch(f"{path}/a", {"spec": {"subnet": "10.7.0.0/16"}})
    assert answer.message.endswith('spec.subnet: Invalid value: "10.7.0.0/16": cannot change')
    assert client.patch(f"{path}/a", {"spec": {"mode": "private"}}).code == 200
    assert client.patch(f"{path}/a", {"spec": {"subnet": None}}).code == 200


def test_rules_about_changes_of_items_with_keys(client: Api, path: str) -> None:
    client.must(client.create(path, obj(routes=[{"to": "a", "cost": 5}])))
    more = [{"to": "b", "cost": 1}, {"to": "a", "cost": 6}]
    client.must(client.patch(f"{path}/a", {"spec": {"routes": more}}))
    less = [{"to": "b", "cost": 1}, {"to": "a", "cost": 5}]
    answer = client.patch(f"{path}/a", {"spec": {"routes": less}})
    assert answer.causes == [("spec.routes[1].cost", "FieldValueInvalid")]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("self.first >", "Syntax error"),
        ("self.nothing == 1", "undefined field 'nothing'"),
        ("self.routes.all(r, r.price > 1)", "undefined field 'price'"),
        ("self.first", "cel expression must evaluate to a bool"),
        ("", "rule is not specified"),
    ],
)
def test_rules_that_cannot_be(client: Api, rule: str, problem: str) -> None:
    spec = copy.deepcopy(SPEC)
    spec["x-kubernetes-validations"] = [{"rule": rule}]
    answer = client.create(CRDS, ruled("misruleds", "Misruled", spec))
    where = "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule"
    assert (answer.code, [field for field, _ in answer.causes]) == (422, [where])
    assert problem in answer.message


def test_names_are_taken_once(client: Api) -> None:
    established(client, definition("originals", "Original"))
    copycat = definition("copies", "Copycat")
    copycat["spec"]["names"]["shortNames"] = ["ori"]
    client.must(client.create(CRDS, copycat))

    def conditions() -> dict[str, str]:
        crd = client.must(client.get(f"{CRDS}/copies.{GROUP}"))
        found = (crd.get("status") or {}).get("conditions") or []
        return {each["type"]: each["status"] for each in found}

    eventually(lambda: conditions().get("NamesAccepted") == "False")
    assert conditions().get("Established") == "False"
    assert client.get(f"{API}/copies").code == 404
