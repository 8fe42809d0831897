"""A custom resource that uses what structural schemas offer, and its definition."""

from __future__ import annotations

import time
from typing import Any

from rest import Api

GROUP = "contract.example.com"
API = f"/apis/{GROUP}/v1"

SPEC_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 100},
        "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "address": {"type": "string", "format": "ipv4"},
        "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        "unique": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "port": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "nested": {
            "type": "object",
            "default": {},
            "properties": {
                "depth": {"type": "integer", "default": 3},
                "optional": {"type": "string", "nullable": True},
            },
        },
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id"],
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "count": {"type": "integer"}},
            },
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
STATUS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}, "count": {"type": "integer", "minimum": 0}},
}


def definition(plural: str = "widgets", kind: str = "Widget", **version: Any) -> dict[str, Any]:
    """A definition in the contract's group; keywords replace parts of its version."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "plural": plural,
                "kind": kind,
                "shortNames": [plural[:3]],
                "categories": ["contract"],
            },
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": COLUMNS,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": SPEC_SCHEMA, "status": STATUS_SCHEMA},
                        }
                    },
                    **version,
                }
            ],
        },
    }


COLUMNS = [
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
    {"name": "Ready", "type": "boolean", "jsonPath": ".status.ready"},
    {"name": "First", "type": "string", "jsonPath": ".spec.tags[0]"},
    {"name": "Made", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1},
]


def widget(name: str, /, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": 1, **spec},
    }


def established(client: Api, crd: dict[str, Any]) -> None:
    """Create a definition and wait until its kind is served."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    client.must(client.create(path, crd))
    spec = crd["spec"]
    served = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
    end = time.monotonic() + 20
    while client.get(served).code != 200:
        assert time.monotonic() < end, f"{served} is not served"
        time.sleep(0.02)
