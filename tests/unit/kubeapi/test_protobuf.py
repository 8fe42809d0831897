"""Bodies in the protobuf encoding, as kubectl and client-go send some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kubeapi.schema.protobuf import BadMessage, decode_body


def field(number: int, data: bytes | int) -> bytes:
    """One field on the wire, by hand: the format is simple, and this is no decoder."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    tag = varint(number << 3 | 2)
    return tag + varint(len(data)) + data


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def body(kind: str, message: bytes, version: str = "v1") -> bytes:
    about = field(1, version.encode()) + field(2, kind.encode())
    return b"k8s\0" + field(1, about) + field(2, message)


def test_config_map() -> None:
    metadata = field(1, b"settings") + field(3, b"default") + field(8, b"")
    entry = field(1, b"k") + field(2, b"v")
    assert decode_body(body("ConfigMap", field(1, metadata) + field(2, entry))) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default", "creationTimestamp": None},
        "data": {"k": "v"},
    }


def test_inlined_messages() -> None:
    reference = field(1, field(1, b"settings")) + field(2, b"key") + field(3, 1)
    source = field(3, reference)
    variable = field(1, b"X") + field(3, source)
    container = field(1, b"c") + field(7, variable)
    pod = decode_body(body("Pod", field(2, field(2, container))))
    assert pod["spec"]["containers"] == [
        {
            "name": "c",
            "env": [
                {
                    "name": "X",
                    "valueFrom": {
                        "configMapKeyRef": {"name": "settings", "key": "key", "optional": True}
                    },
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [(field(1, 0) + field(2, 8080), 8080), (field(1, 1) + field(3, b"http"), "http")],
)
def test_numbers_or_names(message: bytes, expected: int | str) -> None:
    port = field(3, 80) + field(4, message)
    service = decode_body(body("Service", field(2, field(1, port))))
    assert service["spec"]["ports"] == [{"port": 80, "targetPort": expected}]


@given(st.integers(-(2**31), 2**31 - 1))
def test_signed_numbers(value: int) -> None:
    deployment = decode_body(body("Deployment", field(2, field(1, value)), "apps/v1"))
    assert deployment["spec"]["replicas"] == value


def test_times_quantities_and_bytes() -> None:
    metadata = field(8, field(1, 1_700_000_000))
    secret = decode_body(
        body("Secret", field(1, metadata) + field(2, field(1, b"k") + field(2, b"\0\1")))
    )
    assert secret["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert secret["data"] == {"k": "AAE="}
    limit = field(1, b"cpu") + field(2, field(1, b"100m"))
    container = field(8, field(1, limit))
    pod = decode_body(body("Pod", field(2, field(2, container))))
    assert pod["spec"]["containers"] == [{"resources": {"limits": {"cpu": "100m"}}}]


def test_fields_that_are_not_known_are_passed_over() -> None:
    message = field(99, b"later") + field(98, 5) + varint(97 << 3 | 5) + b"1234"
    assert decode_body(body("ConfigMap", message)) == {"apiVersion": "v1", "kind": "ConfigMap"}


@given(st.binary())
def test_noise_is_refused_or_read_but_never_breaks(noise: bytes) -> None:
    for data in (noise, body("Pod", noise), b"k8s\0" + noise):
        try:
            decode_body(data)
        except BadMessage:
            continue


def test_what_is_no_message() -> None:
    with pytest.raises(BadMessage, match="does not appear to be"):
        decode_body(b"{}")
    with pytest.raises(BadMessage, match="no kind 'Unheard'"):
        decode_body(body("Unheard", b""))
