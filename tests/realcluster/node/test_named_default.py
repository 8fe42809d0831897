"""The page's ``multus.multusCNI.defaultCniCRName``, by helm upgrade on a node, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_image import NAME
from real_node import NAMESPACE, items, kubectl, pods_of, run, until
from realcluster_release import CHART

CONFIG = Path("/etc/cni/net.d/00-multus.conf")
VALUE = "multus.multusCNI.defaultCniCRName"
WAIT = (f"--namespace={NAMESPACE}", "--wait", "--timeout=90s")


@pytest.fixture(scope="module", autouse=True)
def named() -> Iterator[None]:
    upgrade = ("upgrade", "spiderpool", str(CHART), "--reuse-values", f"--set={VALUE}=ptp")
    run("helm", *upgrade, *WAIT)
    yield
    run("helm", "rollback", "spiderpool", "1", *WAIT)
    until(lambda: "clusterNetwork" not in CONFIG.read_text())


def test_multus_is_told_the_name() -> None:
    until(lambda: json.loads(CONFIG.read_text()).get("clusterNetwork") == "ptp")


def test_pods_get_the_named_network() -> None:
    kubectl("run", "plain", "--image=nginx", "--image-pull-policy=IfNotPresent")
    kubectl("wait", "--for=condition=Ready", "pod/plain", "--timeout=60s")
    (pod,) = items("pods")
    networks = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])
    assert [(each["name"], each["default"]) for each in networks] == [(f"{NAMESPACE}/ptp", True)]
    assert pod["status"]["podIP"].startswith("10.233.73.")
    kubectl("delete", "pod", "plain", "--now")


def test_the_upgraded_agent_runs_in_our_image() -> None:
    (pod,) = pods_of("agent")
    statuses = pod["status"]["containerStatuses"]
    assert {(each["image"], each["ready"]) for each in statuses} == {(NAME, True)}
