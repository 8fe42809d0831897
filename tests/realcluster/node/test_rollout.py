"""The agent is replaced while pods start: the plugin waits for it, and none of them notices."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from real_node import NAMESPACE, PAGE, items, kubectl, pods_of, until

PODS = 8


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    kubectl("apply", f"-f={PAGE / 'ippool.yaml'}", f"-f={PAGE / 'multusconfig.yaml'}")
    until(lambda: kubectl("get", "net-attach-def", "macvlan-ens192", "--ignore-not-found"))
    yield
    kubectl("delete", "deployment", "nginx", "--ignore-not-found")
    until(lambda: not items("pods"))
    kubectl("delete", f"-f={PAGE / 'multusconfig.yaml'}", f"-f={PAGE / 'ippool.yaml'}")


def test_pods_that_start_meanwhile_only_wait() -> None:
    (old,) = pods_of("agent")
    kubectl("delete", "events", "--all")
    kubectl("delete", "pod", old["metadata"]["name"], f"-n={NAMESPACE}", "--wait=false")
    kubectl("create", f"-f={PAGE / 'nginx.yaml'}")
    kubectl("scale", "deployment/nginx", f"--replicas={PODS}")
    kubectl("wait", "--for=condition=Available", "deployment/nginx", "--timeout=90s")
    (new,) = until(lambda: [each for each in pods_of("agent") if each["status"].get("podIP")])
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    begun = {each["metadata"]["creationTimestamp"] for each in items("pods", "-l=app=nginx")}
    ready = next(each for each in new["status"]["conditions"] if each["type"] == "Ready")
    assert min(begun) <= ready["lastTransitionTime"], "the control: pods began before it was ready"
    failed = [each for each in items("events") if each["reason"] == "FailedCreatePodSandBox"]
    assert not failed, json.dumps(failed, indent=1)
