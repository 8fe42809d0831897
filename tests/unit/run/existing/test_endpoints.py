"""Which pods Services do not lead to yet."""

from __future__ import annotations

from typing import Any

import pytest

from harness.run.existing.endpoints import left_out

POD = {
    "metadata": {"namespace": "default", "name": "web", "labels": {"app": "web", "tier": "front"}},
    "status": {"podIPs": [{"ip": "10.233.73.194"}, {"ip": "fd00::2"}]},
}


def service(selector: dict[str, str] | None, namespace: str = "default", **spec: Any) -> Any:
    metadata = {"namespace": namespace, "name": "front"}
    return {"metadata": metadata, "spec": {"selector": selector, **spec}}


def slice_of(name: str, *addresses: str, ready: bool | None = True) -> Any:
    labels = {"kubernetes.io/service-name": name}
    endpoint = {"addresses": list(addresses), "conditions": {"ready": ready}}
    return {"metadata": {"namespace": "default", "labels": labels}, "endpoints": [endpoint]}


def missing(one: Any, *slices: Any) -> list[str]:
    return list(left_out([POD], [one], slices))


def test_a_service_without_slices_leads_nowhere() -> None:
    assert missing(service({"app": "web"})) == [
        "Service front does not lead to web at 10.233.73.194"
    ]


def test_a_ready_endpoint_of_its_own_will_do() -> None:
    assert missing(service({"app": "web"}), slice_of("front", "10.233.73.194")) == []
    assert missing(service({"app": "web"}), slice_of("front", "10.233.73.194", ready=None)) == []


@pytest.mark.parametrize(
    "other",
    [
        slice_of("back", "10.233.73.194"),
        slice_of("front", "10.233.73.195"),
        slice_of("front", "10.233.73.194", ready=False),
        {"metadata": {"namespace": "default"}, "endpoints": None},
    ],
)
def test_other_endpoints_will_not(other: Any) -> None:
    assert len(missing(service({"app": "web"}), other)) == 1


def test_each_family_of_the_service_counts() -> None:
    both = service({"app": "web"}, ipFamilies=["IPv4", "IPv6"])
    (left,) = missing(both, slice_of("front", "10.233.73.194"))
    assert left.endswith("web at fd00::2")
    assert missing(both, slice_of("front", "10.233.73.194"), slice_of("front", "fd00::2")) == []


@pytest.mark.parametrize(
    "unrelated",
    [service(None), service({}), service({"app": "db"}), service({"app": "web"}, "kube-system")],
)
def test_services_for_others_do_not_matter(unrelated: Any) -> None:
    assert missing(unrelated) == []
