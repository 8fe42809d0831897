"""The acceptance page's objects, on a kubelet: addresses come with pods and go with them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from real_node import PAGE, Object, items, kubectl, run, until

POOL = "10-6-v4"
STATUS = "k8s.v1.cni.cncf.io/network-status"


@pytest.fixture(scope="module", autouse=True)
def page() -> Iterator[None]:
    """The pool, the network and the Deployment, deleted by plain kubectl in the end."""
    kubectl("apply", f"-f={PAGE / 'ippool.yaml'}", f"-f={PAGE / 'multusconfig.yaml'}")
    until(lambda: kubectl("get", "net-attach-def", "macvlan-ens192", "--ignore-not-found"))
    kubectl("create", f"-f={PAGE / 'nginx.yaml'}")
    kubectl("wait", "--for=condition=Available", "deployment/nginx", "--timeout=60s")
    yield
    kubectl("delete", f"-f={PAGE / 'nginx.yaml'}", "--ignore-not-found")
    until(lambda: not items("pods"))
    kubectl("delete", f"-f={PAGE / 'multusconfig.yaml'}", f"-f={PAGE / 'ippool.yaml'}",
            "--ignore-not-found", "--timeout=30s")  # fmt: skip


def net1(pod: Object) -> str:
    """What Multus says in the pod's annotation."""
    networks = json.loads(pod["metadata"]["annotations"][STATUS])
    (address,) = next(each["ips"] for each in networks if each.get("interface") == "net1")
    return str(address)


def allocated() -> int:
    (pool,) = (each for each in items("spiderippools") if each["metadata"]["name"] == POOL)
    return int(pool["status"]["allocatedIPCount"])


def tells_of_the_pool(event: Object, pod: Object) -> bool:
    about = event["involvedObject"].get("uid") == pod["metadata"]["uid"]
    return about and POOL in event.get("message", "")


def test_pods_run_with_an_address_of_the_pool() -> None:
    pods = items("pods", "-l=app=nginx")
    assert [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]
    addresses = [net1(pod) for pod in pods]
    assert len(set(addresses)) == 2
    for address in addresses:
        assert address.startswith("10.6.212.")
        assert 100 <= int(address.rpartition(".")[2]) <= 200
    assert all(pod["status"]["podIP"].startswith("10.233.73.") for pod in pods)


def test_endpoints_are_as_the_page_shows_them() -> None:
    head, *lines = (line.split() for line in kubectl("get", "se").splitlines())
    assert head == ["NAME", "INTERFACE", "IPV4POOL", "IPV4", "IPV6POOL", "IPV6", "NODE"]
    pods = {pod["metadata"]["name"]: f"{net1(pod)}/16" for pod in items("pods", "-l=app=nginx")}
    assert sorted(lines) == [
        [name, "net1", POOL, address, "worker01"] for name, address in sorted(pods.items())
    ]


def test_the_pool_counts_them() -> None:
    until(lambda: allocated() == 2)


def test_inside_a_pod_the_rules_are_the_pages() -> None:
    """As the pod itself sees its main table; the harness' run looks at all of them."""
    pod = items("pods", "-l=app=nginx")[0]["metadata"]["name"]
    table = kubectl("exec", pod, "--", "python3", "-c", "print(open('/proc/net/route').read())")
    links = {line.split()[1]: line.split()[0] for line in table.splitlines()[1:] if line.strip()}
    assert links["00000000"] == "eth0"  # default
    assert links["0000060A"] == "net1"  # 10.6.0.0
    assert links["84D4060A"] == "eth0"  # 10.6.212.132, the node


def test_a_deleted_pod_gives_its_address_back() -> None:
    kubectl("scale", "deployment/nginx", "--replicas=0")
    until(lambda: not items("pods"))
    until(lambda: not items("spiderendpoints"))
    until(lambda: allocated() == 0)
    host = run("ip", "route", "show", "table", "500")
    assert "10.6.212." not in host


def test_a_pool_in_use_stays_until_its_last_pod_is_gone() -> None:
    kubectl("scale", "deployment/nginx", "--replicas=1")
    kubectl("wait", "--for=condition=Available", "deployment/nginx", "--timeout=60s")
    kubectl("delete", "spiderippool", POOL, "--wait=false")
    (pool,) = items("spiderippools")
    assert pool["metadata"]["deletionTimestamp"]
    kubectl("scale", "deployment/nginx", "--replicas=0")
    until(lambda: not items("spiderippools"))
    until(lambda: not items("pods"))


def test_a_pod_whose_pool_is_missing_waits_and_is_told_why() -> None:
    """The pool is gone by the test before; it starts when the pool is there again."""
    kubectl("scale", "deployment/nginx", "--replicas=1")
    (pod,) = until(lambda: items("pods", "-l=app=nginx"))
    until(lambda: [each for each in items("events") if tells_of_the_pool(each, pod)])
    (pod,) = items("pods", "-l=app=nginx")
    assert pod["status"]["phase"] == "Pending"
    kubectl("apply", f"-f={PAGE / 'ippool.yaml'}")
    kubectl("wait", "--for=condition=Available", "deployment/nginx", "--timeout=60s")
