"""The shapes of built-in kinds, held against the models of the Kubernetes client."""

from __future__ import annotations

import re
from typing import Any

import kubernetes.client.models as models
import pytest

from harness.kubeapi.builtin.kinds import builtin_kinds
from harness.kubeapi.builtin.types import schema_of, type_names, zero_of

RENAMED = {
    "ContainerResourceClaim": "CoreV1ResourceClaim",
    "ConversionServiceReference": "ApiextensionsV1ServiceReference",
    "ConversionWebhookClientConfig": "ApiextensionsV1WebhookClientConfig",
    "EndpointPort": "CoreV1EndpointPort",
    "Event": "CoreV1Event",
    "EventSeries": "CoreV1EventSeries",
    "ServiceReference": "AdmissionregistrationV1ServiceReference",
    "SlicePort": "DiscoveryV1EndpointPort",
    "Subject": "RbacV1Subject",
    "WebhookClientConfig": "AdmissionregistrationV1WebhookClientConfig",
}
LATER_REMOVED = {"PodSpec.workloadRef", "WorkloadReference"}
"""Of Kubernetes 1.35, but not of the client's version."""


def model_of(name: str) -> Any:
    wanted = RENAMED.get(name, name)
    return getattr(models, f"V1{wanted}", None) or getattr(models, wanted, None)


def model_type(schema: dict[str, Any]) -> str:
    """The type as the models write it, as far as both tell it."""
    if "x-go-type" in schema:
        return "object"
    if schema.get("type") == "array":
        return f"List[{model_type(schema['items'])}]"
    if "additionalProperties" in schema:
        return f"Dict[str, {model_type(schema['additionalProperties'])}]"
    form = {"date-time": "datetime", "byte": "bytes", "int-or-string": "object"}
    kinds = {"string": "str", "integer": "int", "boolean": "bool", "number": "float"}
    return form.get(schema.get("format", "")) or kinds.get(schema.get("type", ""), "object")


def simplified(text: str) -> str:
    """Model classes are all objects."""
    return re.sub(
        r"\b(V1|CoreV1|DiscoveryV1|RbacV1|ApiextensionsV1|Admissionreg)\w+", "object", text
    )


@pytest.mark.parametrize("name", sorted(type_names()))
def test_fields_are_those_of_the_client(name: str) -> None:
    model = model_of(name)
    if name in LATER_REMOVED:
        assert model is None
        return
    assert model is not None, f"{name} is no type of Kubernetes"
    theirs = {model.attribute_map[attr]: kind for attr, kind in model.openapi_types.items()}
    theirs = {("not" if field == "_not" else field): kind for field, kind in theirs.items()}
    for field, schema in schema_of(name)["properties"].items():
        if f"{name}.{field}" in LATER_REMOVED:
            continue
        assert field in theirs, f"{name}.{field} is no field of Kubernetes"
        if model_type(schema) != "object":
            assert model_type(schema) == simplified(theirs[field]), f"{name}.{field}"


def test_field_numbers_are_used_once() -> None:
    for name in type_names():
        numbers = [field.number for field in schema_of(name)["x-fields"].values() if field.number]
        assert len(numbers) == len(set(numbers)), name


def test_every_kind_has_its_envelope() -> None:
    for kind in builtin_kinds():
        assert {"apiVersion", "kind", "metadata"} <= kind.schema["properties"].keys(), kind.name


def test_zero_of_a_status() -> None:
    assert zero_of(schema_of("ReplicaSetStatus")) == {"replicas": 0}
    assert zero_of(schema_of("ServiceStatus")) == {"loadBalancer": {}}
    assert zero_of(schema_of("DeploymentStatus")) == {}
