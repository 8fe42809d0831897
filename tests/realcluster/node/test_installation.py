"""The chart on a node: our image, its accounts, its powers, and what it leaves to the node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from build_image import NAME
from real_node import NAMESPACE, containers_of, items, kubectl, pods_of, run

COMPONENTS = ("agent", "controller")
PLUGINS = Path("/opt/cni/bin")
ROOT = Path(__file__).parents[3]


def test_the_node_is_ready() -> None:
    (node,) = items("nodes")
    ready = next(each for each in node["status"]["conditions"] if each["type"] == "Ready")
    assert (node["metadata"]["name"], ready["status"]) == ("worker01", "True")
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")


@pytest.mark.parametrize("component", COMPONENTS)
def test_all_of_it_runs_in_our_image(component: str) -> None:
    found = list(containers_of(component))
    assert found
    for each in found:
        assert (each.status["image"], each.status["ready"]) == (NAME, True)
        assert each.status["restartCount"] == 0


@pytest.mark.parametrize("component", COMPONENTS)
def test_processes_have_the_powers_of_the_chart_and_no_more(component: str) -> None:
    for each in containers_of(component):
        asked = each.spec["securityContext"]
        assert each.capabilities == set(asked["capabilities"].get("add", ())), each.name
        assert each.filters_system_calls
        assert each.root_is_read_only
        assert not each.may_gain_power


def test_nobody_has_both_a_token_and_a_capability() -> None:
    found = [each for component in COMPONENTS for each in containers_of(component)]
    assert not [each.name for each in found if each.token and each.capabilities]
    assert [each for each in found if each.token], "the control: somebody talks to the API"
    assert [each for each in found if each.capabilities], "the control: somebody arranges pods"


def test_the_controller_is_not_root() -> None:
    assert [each.user for each in containers_of("controller")] == [65532]


@pytest.mark.parametrize("component", COMPONENTS)
def test_who_talks_to_the_api_does_it_by_its_own_account(component: str) -> None:
    (holder,) = (each for each in containers_of(component) if each.token)
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": holder.token},
    }
    answer = json.loads(kubectl("create", "-f-", "-o=json", stdin=json.dumps(review)))
    name = f"system:serviceaccount:{NAMESPACE}:spiderpool-{component}"
    assert answer["status"]["user"]["username"] == name
    assert holder.account == f"spiderpool-{component}"


def test_the_init_job_is_complete() -> None:
    (pod,) = pods_of("init")
    assert pod["status"]["phase"] == "Succeeded"


def test_the_coordinator_has_the_values_and_the_networks_of_the_cluster() -> None:
    (coordinator,) = items("spidercoordinators")
    assert coordinator["spec"]["mode"] == "overlay"
    assert coordinator["status"] == {
        "phase": "Synced",
        "overlayPodCIDR": ["10.233.64.0/18"],
        "serviceCIDR": ["10.233.0.0/18"],
    }


def test_the_default_network_is_the_one_of_the_node() -> None:
    (attachment,) = items("network-attachment-definitions", f"-n={NAMESPACE}")
    assert attachment["metadata"]["name"] == "ptp"
    assert "config" not in attachment.get("spec", {})


@pytest.mark.parametrize("name", ["spiderpool", "coordinator", "ifacer"])
def test_the_node_has_the_plugins(name: str) -> None:
    built = ROOT / "dist" / "cni" / "amd64" / "spiderpool"
    assert (PLUGINS / name).read_bytes() == built.read_bytes()
    assert not list(PLUGINS.glob(".*")), "half a file"


def test_multus_is_the_first_network_of_the_node() -> None:
    (first, *_) = sorted(path.name for path in Path("/etc/cni/net.d").iterdir() if path.is_file())
    config = json.loads((Path("/etc/cni/net.d") / first).read_text())
    assert config["type"] == "multus"
    assert json.loads(run("kubectl", "get", "daemonset", "spiderpool-multus", f"-n={NAMESPACE}",
                          "-o=json"))["status"]["numberReady"] == 1  # fmt: skip
