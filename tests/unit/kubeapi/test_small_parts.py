"""Smaller pure parts: paths, forms, versions, deletion, allocation, watch events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kubeapi.builtin.kinds import builtin_kinds
from harness.kubeapi.builtin.services import ServiceAllocator, ServiceRanges
from harness.kubeapi.deletion import DeleteOptions, Propagation, is_finished, marked
from harness.kubeapi.negotiate import Form, wanted_form, wants_aggregated_discovery
from harness.kubeapi.options import parse_options
from harness.kubeapi.registry import version_rank
from harness.kubeapi.request import ResourcePath, parse_path
from harness.kubeapi.status import ApiError
from harness.kubeapi.store import Change, Happened
from harness.kubeapi.watches import event_of

KINDS = {kind.name: kind for kind in builtin_kinds()}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/pods", ResourcePath("", "v1", "pods")),
        ("/api/v1/namespaces", ResourcePath("", "v1", "namespaces")),
        ("/api/v1/namespaces/a", ResourcePath("", "v1", "namespaces", "", "a")),
        ("/api/v1/namespaces/a/status", ResourcePath("", "v1", "namespaces", "", "a", "status")),
        (
            "/api/v1/namespaces/a/finalize",
            ResourcePath("", "v1", "namespaces", "", "a", "finalize"),
        ),
        ("/api/v1/namespaces/a/pods", ResourcePath("", "v1", "pods", "a")),
        ("/api/v1/namespaces/a/pods/b", ResourcePath("", "v1", "pods", "a", "b")),
        ("/api/v1/namespaces/a/pods/b/status", ResourcePath("", "v1", "pods", "a", "b", "status")),
        ("/apis/apps/v1/deployments", ResourcePath("apps", "v1", "deployments")),
        ("/apis/x.io/v1/namespaces/a/status/b", ResourcePath("x.io", "v1", "status", "a", "b")),
    ],
)
def test_paths(path: str, expected: ResourcePath) -> None:
    assert parse_path(path) == expected


@pytest.mark.parametrize("path", ["/", "/api", "/apis/apps", "/what", "/api/v1/pods/a/b/c/d"])
def test_paths_that_are_no_resource(path: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_path(path)
    assert refused.value.code == 404


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/vnd.kubernetes.protobuf,application/json", Form()),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Form("Table", "v1")),
        ("application/json;as=Unheard;v=v1;g=meta.k8s.io,application/json", Form()),
        (
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Form("PartialObjectMetadataList", "v1"),
        ),
    ],
)
def test_accepted_forms(accept: str, form: Form) -> None:
    assert wanted_form(accept) == form


def test_forms_that_are_not_served() -> None:
    with pytest.raises(ApiError) as refused:
        wanted_form("text/html")
    assert refused.value.code == 406


def test_aggregated_discovery_is_asked_for() -> None:
    asked = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert wants_aggregated_discovery(f"{asked},application/json") == "v2"
    assert wants_aggregated_discovery("application/json") == ""


def test_versions_in_the_order_of_preference() -> None:
    versions = ["foo1", "v1alpha1", "v1beta2", "v10", "v2", "v1", "v1beta10", "v11alpha2"]
    best_first = ["v10", "v2", "v1", "v1beta10", "v1beta2", "v11alpha2", "v1alpha1", "foo1"]
    assert sorted(versions, key=version_rank, reverse=True) == best_first


def pod(**metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "uid": "u", "generation": 1, **metadata},
        "spec": {"nodeName": "n"},
        "status": {"phase": "Running"},
    }


def test_running_pod_is_marked_for_the_future() -> None:
    left = marked(KINDS["Pod"], pod(), DeleteOptions(grace_seconds=10), NOW)
    assert left["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:10Z"
    assert left["metadata"]["generation"] == 2
    assert not is_finished(left)
    assert is_finished(marked(KINDS["Pod"], left, DeleteOptions(grace_seconds=0), NOW))


def test_objects_without_holders_go_at_once() -> None:
    obj = {"metadata": {"name": "a", "uid": "u"}}
    assert is_finished(marked(KINDS["ConfigMap"], obj, DeleteOptions(), NOW))
    assert obj == {"metadata": {"name": "a", "uid": "u"}}
    foreground = DeleteOptions(propagation=Propagation.FOREGROUND)
    held = marked(KINDS["ConfigMap"], obj, foreground, NOW)
    assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert not is_finished(held)


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"type": "ClusterIP", "ports": [], **spec}}


@given(st.lists(st.booleans(), max_size=40))
def test_addresses_are_never_given_twice(keep: list[bool]) -> None:
    allocator = ServiceAllocator(ServiceRanges(("10.0.0.0/26",), (30000, 30050)))
    held: dict[str, dict[str, Any]] = {}
    for number, kept in enumerate(keep):
        made = service(f"s{number}", type="NodePort", ports=[{"port": 80, "protocol": "TCP"}])
        allocator.complete(None, made)
        allocator.take(None, made)
        held[made["metadata"]["name"]] = made
        addresses = [each["spec"]["clusterIP"] for each in held.values()]
        ports = [each["spec"]["ports"][0]["nodePort"] for each in held.values()]
        assert len(set(addresses)) == len(addresses)
        assert len(set(ports)) == len(ports)
        if not kept:
            allocator.release(held.pop(made["metadata"]["name"]))


def test_dual_stack_services() -> None:
    allocator = ServiceAllocator(ServiceRanges(("10.0.0.0/24", "fd00::/112")))
    both = service("both", ipFamilyPolicy="PreferDualStack")
    allocator.complete(None, both)
    assert both["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    assert len(both["spec"]["clusterIPs"]) == 2
    six = service("six", ipFamilies=["IPv6"])
    allocator.complete(None, six)
    assert six["spec"]["clusterIP"].startswith("fd00::")


def change(happened: Happened, new: str | None, old: str | None) -> Change:
    def obj(color: str, revision: str) -> dict[str, Any]:
        return {"metadata": {"name": "a", "resourceVersion": revision}, "color": color}

    before = obj(old, "1") if old else None
    return Change(2, happened, obj(new or old or "", "2"), before)


@pytest.mark.parametrize(
    ("happened", "new", "old", "seen"),
    [
        (Happened.ADDED, "red", None, ("ADDED", "red")),
        (Happened.ADDED, "blue", None, None),
        (Happened.MODIFIED, "red", "red", ("MODIFIED", "red")),
        (Happened.MODIFIED, "red", "blue", ("ADDED", "red")),
        (Happened.MODIFIED, "blue", "red", ("DELETED", "red")),
        (Happened.MODIFIED, "blue", "blue", None),
        (Happened.DELETED, None, "red", ("DELETED", "red")),
        (Happened.DELETED, None, "blue", None),
    ],
)
def test_what_a_selective_watcher_sees(
    happened: Happened, new: str | None, old: str | None, seen: tuple[str, str] | None
) -> None:
    event = event_of(change(happened, new, old), lambda obj: bool(obj["color"] == "red"))
    assert (event and (event.type, event.obj["color"])) == seen
    if event:
        assert event.obj["metadata"]["resourceVersion"] == "2"


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--listen=8080", "'8080' is not HOST:PORT"),
        ("--listen=127.0.0.1:99999", "is not HOST:PORT"),
        ("--service-cidr=10.0.0.1/8", "has host bits set"),
        ("--service-cidr=10.0.0.0/8,11.0.0.0/8", "two CIDRs of one family"),
        ("--service-node-port-range=5", "is no range of ports"),
        ("--history=-1", "is no positive number"),
        ("--tls-cert=x", "go together"),
    ],
)
def test_bad_options(argument: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        parse_options([argument])
    assert exited.value.code == 2
    assert words in capsys.readouterr().err
