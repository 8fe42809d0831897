"""Rules of pools that the controller makes for a workload."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.controller.admission.findings import Cluster, Request
from spiderpool.controller.admission.review import judge, validate

P = "ipam.spidernet.io/"
AFFINITY = {
    P + "app-api-group": "apps",
    P + "app-api-version": "v1",
    P + "app-kind": "Deployment",
    P + "app-namespace": "default",
    P + "app-name": "web",
}
POOL: dict[str, Any] = {
    "metadata": {
        "name": "auto4-web-eth0-1",
        "labels": {P + "owner-spider-subnet": "s"},
        "annotations": {P + "application": "Deployment/default/web"},
    },
    "spec": {
        "subnet": "10.6.0.0/16",
        "ips": ["10.6.0.10-10.6.0.12"],
        "podAffinity": {"matchLabels": AFFINITY},
    },
}
SIZE = (
    "spec.ips: is given to the automatic pool of Deployment/default/web by SpiderSubnet s; "
    "edit that, or the annotation ipam.spidernet.io/ippool-ip-number of the workload's pods"
)
OTHERS = (
    "spec.podAffinity: names Deployment/default/web, which alone draws from its automatic pool; "
    "make a pool in the network of SpiderSubnet s for other pods"
)


def pool(**spec: Any) -> dict[str, Any]:
    return POOL | {"spec": POOL["spec"] | spec}


def problems(
    new: dict[str, Any] | None, old: dict[str, Any] | None = POOL, manager: str = "kubectl-edit"
) -> list[str]:
    found = judge("spiderippools", Request(old, new, manager), Cluster())
    return [str(problem) for problem in found.problems]


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        ({"ips": ["10.6.0.10-10.6.0.13"]}, [SIZE]),
        ({"ips": ["10.6.0.10"]}, [SIZE]),
        ({"ips": ["10.6.0.10", "10.6.0.11-10.6.0.12"]}, []),
        ({"podAffinity": None}, [OTHERS]),
        ({"podAffinity": {"matchLabels": AFFINITY | {"app": "x"}}}, [OTHERS]),
        ({"podAffinity": {"matchLabels": {"app": "x"}}, "ips": ["10.6.0.9"]}, [SIZE, OTHERS]),
        ({"excludeIPs": ["10.6.0.11"], "disable": True, "nodeName": ["n"]}, []),
    ],
)
def test_what_the_controller_would_undo_is_refused(
    spec: dict[str, Any], refusal: list[str]
) -> None:
    new = pool(**spec)
    assert problems(new) == refusal
    assert problems(new, manager="spiderpool-controller") == []
    plain = POOL | {"metadata": {"name": "a"}}
    assert problems(new | {"metadata": plain["metadata"]}, plain) == []


def test_the_mark_cannot_be_taken_off_on_the_way() -> None:
    assert problems(pool(ips=["10.6.0.9"]) | {"metadata": {"name": "auto4-web-eth0-1"}}) == [SIZE]


def test_an_automatic_pool_names_a_workload_and_nothing_else() -> None:
    assert problems(POOL, None) == []
    (problem,) = problems(pool(podAffinity={"matchLabels": {"app": "x"}}), None)
    assert problem.startswith(
        "spec.podAffinity: is not that of the automatic pool of Deployment/default/web; "
        "use ipam.spidernet.io/app-api-group, "
    )
    expressions = [{"key": "app", "operator": "Exists"}]
    affinity = {"matchLabels": AFFINITY, "matchExpressions": expressions}
    assert len(problems(pool(podAffinity=affinity), None)) == 1


def test_a_pool_that_cannot_be_read_may_be_mended() -> None:
    broken = pool(ips=["nonsense"])
    assert problems(POOL, broken) == []
    assert problems(None) == []


def test_who_writes_is_told_by_the_review() -> None:
    request = {
        "uid": "1",
        "resource": {"resource": "spiderippools"},
        "kind": {"kind": "SpiderIPPool"},
        "object": pool(ips=["10.6.0.9"]),
        "oldObject": POOL,
    }
    for options, allowed in (
        ({"fieldManager": "spiderpool-controller"}, True),
        ({}, False),
        (None, False),
    ):
        answer = validate({"request": request | {"options": options}}, Cluster())
        assert answer["response"]["allowed"] is allowed
