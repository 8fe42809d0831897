"""The page's cluster carries packets the way that the real one does, seen on every interface."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from page_cluster import ECHO_REQUEST, PageCluster

from harness.netns import isolated

pytestmark = pytest.mark.kernel

ETH_P_ALL, PACKET_OUTGOING = 3, 4
Sight = tuple[str, str, str, str, str]
"""Namespace, link, "in" or "out", source, destination."""


def seen(cluster: PageCluster, sender: str, target: str) -> list[Sight]:
    """Where the packets of an answered ping were."""
    with ExitStack() as stack:
        ears = {
            name: stack.enter_context(
                cluster.ledger[name].socket(
                    socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)
                )
            )
            for name in cluster.ledger.names
        }
        assert cluster.ping(sender, target)
        return [sight for name, ear in ears.items() for sight in heard(name, ear)]


def heard(name: str, ear: socket.socket) -> list[Sight]:
    """ICMP packets in the queue, each IPv4 address as text."""
    ear.setblocking(False)
    sights: list[Sight] = []
    while True:
        try:
            data, (link, _, kind, *_) = ear.recvfrom(2048)
        except BlockingIOError:
            return sights
        if data[0] >> 4 == 4 and data[9] == 1:
            source, target = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
            sights.append((name, link, "out" if kind == PACKET_OUTGOING else "in", source, target))


def there_and_back(hops: list[tuple[str, str, str]], ends: tuple[str, str]) -> list[Sight]:
    """A request by ``hops``, and its reply by the same hops the other way round."""
    source, target = ends
    turned = {"in": "out", "out": "in"}
    request = [(name, link, way, source, target) for name, link, way in hops]
    reply = [(name, link, turned[way], target, source) for name, link, way in reversed(hops)]
    return request + reply


def ordered(sights: list[Sight]) -> list[Sight]:
    return sorted(sights)


def without_switches(sights: list[Sight]) -> list[Sight]:
    return [sight for sight in sights if sight[0] != "underlay"]


def pod_to_pod_across_nodes(cluster: PageCluster) -> None:
    one, other = "controller-0", "worker01-1"
    hops = [
        (one, "eth0", "out"),
        ("controller", cluster.host_link[one], "in"),
        ("controller", "ens192", "out"),
        ("worker01", "ens192", "in"),
        ("worker01", cluster.host_link[other], "out"),
        (other, "eth0", "in"),
    ]
    ends = cluster.address[one], cluster.address[other]
    sights = without_switches(seen(cluster, one, cluster.address[other]))
    assert ordered(sights) == ordered(there_and_back(hops, ends))


def pod_to_pod_on_one_node(cluster: PageCluster) -> None:
    one, other = "worker01-0", "worker01-1"
    hops = [
        (one, "eth0", "out"),
        ("worker01", cluster.host_link[one], "in"),
        ("worker01", cluster.host_link[other], "out"),
        (other, "eth0", "in"),
    ]
    ends = cluster.address[one], cluster.address[other]
    assert ordered(seen(cluster, one, ends[1])) == ordered(there_and_back(hops, ends))


def pod_to_outside_is_masqueraded(cluster: PageCluster) -> None:
    pod, node, outside = "controller-1", "10.6.212.131", "10.7.212.101"
    inner = [(pod, "eth0", "out"), ("controller", cluster.host_link[pod], "in")]
    outer = [
        ("controller", "ens192", "out"),
        ("router", "lan6", "in"),
        ("router", "lan7", "out"),
        ("outside", "eth0", "in"),
    ]
    expected = there_and_back(inner, (cluster.address[pod], outside))
    expected += there_and_back(outer, (node, outside))
    assert ordered(without_switches(seen(cluster, pod, outside))) == ordered(expected)


def a_node_and_its_own_pod(cluster: PageCluster) -> None:
    pod = "worker01-0"
    hops = [("worker01", cluster.host_link[pod], "out"), (pod, "eth0", "in")]
    ends = "10.6.212.132", cluster.address[pod]
    assert ordered(seen(cluster, "worker01", ends[1])) == ordered(there_and_back(hops, ends))


def a_router_routes_and_a_host_does_not(cluster: PageCluster) -> None:
    assert cluster.ping("client", "10.7.212.101")
    assert not cluster.ping("outside", cluster.address["worker01-0"]), "no route leads to pods"


def a_stranger_s_address_is_not_taken_from_a_pod(cluster: PageCluster) -> None:
    """Reverse path filtering on the node's end; its control is the pod's own address."""
    pod, target = "worker01-0", cluster.address["worker01-1"]
    assert cluster.ping(pod, target)
    with cluster.ledger[pod].socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        source, destination = socket.inet_aton("10.233.105.129"), socket.inet_aton(target)
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 1, 0, source, destination)
        receiver = cluster.ledger["worker01-1"].socket(socket.AF_INET, socket.SOCK_RAW, 1)
        with receiver:
            receiver.settimeout(0.2)
            raw.sendto(head + ECHO_REQUEST, (target, 0))
            with pytest.raises(TimeoutError):
                receiver.recv(2048)


def in_a_cluster(expectation: Callable[[PageCluster], None]) -> None:
    cluster = PageCluster()
    asyncio.run(cluster.up())
    expectation(cluster)


@pytest.mark.parametrize(
    "expectation",
    [
        pod_to_pod_across_nodes,
        pod_to_pod_on_one_node,
        pod_to_outside_is_masqueraded,
        a_node_and_its_own_pod,
        a_router_routes_and_a_host_does_not,
        a_stranger_s_address_is_not_taken_from_a_pod,
    ],
    ids=lambda function: function.__name__,
)
def test_path(expectation: Callable[[PageCluster], None]) -> None:
    isolated.call(in_a_cluster, expectation)


def proxy_delays() -> set[str]:
    cluster = PageCluster()
    asyncio.run(cluster.up())
    with cluster.ledger["worker01"].entered():
        return {
            Path(f"/proc/sys/net/ipv4/neigh/{cluster.host_link[pod]}/proxy_delay").read_text()
            for pod in ("worker01-0", "worker01-1")
        }


def test_the_gateway_answers_at_once() -> None:
    assert isolated.call(proxy_delays) == {"0\n"}
