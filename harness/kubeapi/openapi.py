"""OpenAPI documents, as far as kubectl reads them. Pure.

kubectl asks for schemas to explain kinds and to build strategic patches, and looks at the
parameters of the PATCH operation to learn whether the server validates fields itself.
"""

from __future__ import annotations

import hashlib
from typing import Any

from harness.kubeapi.builtin.types import schema_of
from harness.kubeapi.kinds import Kind, Schema
from harness.kubeapi.objects import Object
from harness.kubeapi.registry import Registry

_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")
]
_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_NOT_OPENAPI = ("x-go-type", "x-fields", "x-micro")


def index(registry: Registry, fingerprint: str) -> Object:
    """``/openapi/v3``: where each group version's document is; the hash makes it cacheable."""
    paths = {}
    for group, versions in registry.versions().items():
        for version in versions:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            digest = hashlib.sha256(f"{path} {fingerprint}".encode()).hexdigest().upper()
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def document_v3(registry: Registry, group: str, version: str) -> Object:
    """``/openapi/v3/apis/GROUP/VERSION``."""
    kinds = registry.in_version(group, version)
    components = _Components("#/components/schemas/")
    for kind in kinds:
        components.add(kind)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "embedded"},
        "paths": {path: item for kind in kinds for path, item in _paths(kind, v3=True).items()},
        "components": {"schemas": components.schemas},
    }


def document_v2(registry: Registry) -> Object:
    """``/openapi/v2``: everything in one document."""
    components = _Components("#/definitions/")
    for kind in registry:
        components.add(kind)
    paths = {path: item for kind in registry for path, item in _paths(kind, v3=False).items()}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "embedded"},
        "paths": paths,
        "definitions": components.schemas,
    }


def _paths(kind: Kind, *, v3: bool) -> Object:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    scope = "/namespaces/{namespace}" if kind.namespaced else ""
    collection = f"{root}{scope}/{kind.plural}"
    identity = {"group": kind.group, "version": kind.version, "kind": kind.name}

    def operation(action: str, **more: Any) -> Object:
        return {
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": identity,
            "parameters": _PARAMETERS if v3 else [_flat(each) for each in _PARAMETERS],
            "responses": {"200": {"description": "OK"}},
            **more,
        }

    accepted = _PATCHES if kind.builtin else _PATCHES[:-1]
    content: Object = {media: {"schema": {}} for media in accepted}
    body: Object = {"requestBody": {"content": content}} if v3 else {"consumes": list(accepted)}
    return {
        collection: {"get": operation("list"), "post": operation("post")},
        collection + "/{name}": {
            "get": operation("get"),
            "put": operation("put"),
            "patch": operation("patch", **body),
            "delete": operation("delete"),
        },
    }


def _flat(parameter: Object) -> Object:
    return {"name": parameter["name"], "in": "query", "type": "string"}


class _Components:
    """Named schemas; a type that occurs in several places is written once."""

    def __init__(self, prefix: str) -> None:
        self.schemas: Object = {}
        self._prefix = prefix

    def add(self, kind: Kind) -> None:
        identity = [{"group": kind.group, "version": kind.version, "kind": kind.name}]
        if kind.builtin:
            self._reference(kind.schema)
            name = kind.name
        else:
            name = f"{kind.group}.{kind.version}.{kind.name}"
            schema = self._converted(kind.schema)
            schema.setdefault("properties", {}).update(
                apiVersion={"type": "string"},
                kind={"type": "string"},
                metadata=self._reference_named("ObjectMeta"),
            )
            self.schemas[name] = schema
        self.schemas[name] = {**self.schemas[name], "x-kubernetes-group-version-kind": identity}

    def _reference_named(self, name: str) -> Schema:
        return self._reference(schema_of(name))

    def _reference(self, schema: Schema) -> Schema:
        name = schema["x-go-type"]
        if name not in self.schemas:
            self.schemas[name] = {}
            self.schemas[name] = self._converted(schema)
        return {"$ref": self._prefix + name}

    def _inner(self, schema: Schema) -> Schema:
        return self._reference(schema) if "x-go-type" in schema else self._converted(schema)

    def _converted(self, schema: Schema) -> Schema:
        result = {name: value for name, value in schema.items() if name not in _NOT_OPENAPI}
        if "properties" in schema:
            result["properties"] = {
                name: self._inner(field) for name, field in schema["properties"].items()
            }
        for name in ("items", "additionalProperties"):
            if isinstance(schema.get(name), dict):
                result[name] = self._inner(schema[name])
        if schema.get("x-kubernetes-int-or-string"):
            result.pop("type", None)
        return result
