"""What stands in for upstream's agent answers from the objects that it would read."""

from __future__ import annotations

from harness.golden.upstream_agent import coordinator_answer

COORDINATOR = {
    "metadata": {"name": "default"},
    "spec": {
        "mode": "overlay",
        "podCIDRType": "cluster",
        "vethMTU": 1500,
    },
    "status": {"phase": "Synced", "overlayPodCIDR": ["10.233.64.0/18"]},
}


def test_spec_and_status_are_one_answer() -> None:
    assert coordinator_answer(COORDINATOR, {}) == {
        "mode": "overlay",
        "vethMTU": 1500,
        "tunePodRoutes": True,
        "overlayPodCIDR": ["10.233.64.0/18"],
        "serviceCIDR": [],
    }


def test_the_pods_annotation_names_the_nic_of_its_default_route() -> None:
    answer = coordinator_answer(COORDINATOR, {"ipam.spidernet.io/default-route-nic": "net1"})
    assert answer["podDefaultRouteNIC"] == "net1"
