"""Bodies of requests: unknown fields, wrong types, what is written and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from harness.kubeapi.builtin.types import schema_of
from harness.kubeapi.schema.decode import DecodeMismatch, decode

POD = schema_of("Pod")


def pod(**spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


@pytest.mark.parametrize(
    ("obj", "unknown"),
    [
        ({"extra": 1}, ["extra"]),
        (pod(extra=1), ["spec.extra"]),
        ({"spec": {"containers": [{"name": "c", "x": 1}]}}, ["spec.containers[0].x"]),
        ({"metadata": {"labels": {"anything": "goes"}}}, []),
    ],
)
def test_unknown_fields(obj: dict[str, Any], unknown: list[str]) -> None:
    assert decode(POD, obj)[1] == unknown


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (pod(hostNetwork="yes"), "cannot unmarshal string into Go struct field "
         "PodSpec.spec.hostNetwork of type bool"),
        (pod(priority=1.5), "cannot unmarshal number 1.5 into Go struct field "
         "PodSpec.spec.priority of type int32"),
        (pod(containers={}), "cannot unmarshal object into Go struct field "
         "PodSpec.spec.containers of type []v1.Container"),
        (pod(nodeSelector="x"), "cannot unmarshal string into Go struct field "
         "PodSpec.spec.nodeSelector of type map[string]string"),
        ({"metadata": {"labels": {"a": True}}}, "cannot unmarshal bool into Go struct field "
         "ObjectMeta.metadata.labels of type string"),
        ({"spec": []}, "cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"),
    ],
)  # fmt: skip
def test_wrong_types(obj: dict[str, Any], message: str) -> None:
    with pytest.raises(DecodeMismatch, match=r"^json: ") as mismatch:
        decode(POD, obj)
    assert str(mismatch.value) == f"json: {message}"


def test_nulls_and_empty_collections_go() -> None:
    kept, _ = decode(POD, pod(nodeSelector={}, tolerations=[], hostname=None))
    assert kept["spec"].keys() == {"containers"}


def test_zeros_go_unless_they_are_behind_a_pointer() -> None:
    kept, _ = decode(POD, pod(hostNetwork=False, hostname="", terminationGracePeriodSeconds=0))
    assert kept["spec"].keys() == {"containers", "terminationGracePeriodSeconds"}
    deployment = schema_of("Deployment")
    assert (
        decode(deployment, {"spec": {"replicas": 0, "paused": False}})[0]["spec"]["replicas"] == 0
    )


def test_what_go_always_writes_is_written() -> None:
    kept, _ = decode(POD, pod())
    assert kept["status"] == {}
    assert kept["spec"]["containers"][0]["resources"] == {}


@pytest.mark.parametrize("text", ["100m", "1", "1.5Gi", "2e3", "-1", ".5"])
def test_quantities(text: str) -> None:
    limits = {"limits": {"cpu": text}}
    spec = {"containers": [{"name": "c", "resources": limits}]}
    assert decode(POD, {"spec": spec})[1] == []


def test_bad_values_of_formats() -> None:
    with pytest.raises(DecodeMismatch, match="quantities must match"):
        decode(POD, {"spec": {"overhead": {"cpu": "much"}}})
    with pytest.raises(DecodeMismatch, match="illegal base64 data at input byte 4"):
        decode(schema_of("Secret"), {"data": {"k": "AAAA!"}})
    with pytest.raises(DecodeMismatch, match='parsing time "soon"'):
        decode(POD, {"metadata": {"creationTimestamp": "soon"}})
