"""Packets answer by the way that they came, seen on the pod's links."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from attached_pod import CALI, AttachedPod, attached_pod

from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.operations import AddAddress, AddRoute, DeleteRule, SetSysctl, UnmarkReplies
from spiderpool.testing.builders import address, route
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel

FAR = "10.9.0.1"
"""A host behind the router: no NIC of the pod is connected to it."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AttachedPod]:
    """The node forwards, and the underlay reaches the pod's first NIC through the node."""
    with attached_pod(tmp_path) as made:
        apply(made.outside, [AddAddress(address("lan", f"{FAR}/32"))])
        apply(
            made.node,
            [
                SetSysctl("ipv4/ip_forward", "1"),
                SetSysctl("ipv4/conf/all/rp_filter", "0"),
                SetSysctl("ipv4/conf/ens192/rp_filter", "0"),
            ],
        )
        yield made


def exchange(world: AttachedPod, target: str) -> list[str]:
    """Ping-pong one datagram from FAR to the pod; links by which the pod's answer left."""
    links = [link.name for link in dump(world.pod).links if link.name != "lo"]
    with ExitStack() as held:
        server = held.enter_context(world.pod.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.bind((target, 5300))
        server.settimeout(0.2)
        client = held.enter_context(world.outside.socket(socket.AF_INET, socket.SOCK_DGRAM))
        client.bind((FAR, 0))
        client.settimeout(2)
        taps = {name: held.enter_context(tap(world.pod, name)) for name in links}
        server.connect(asker(client, server, target))
        server.send(b"pong")
        assert client.recv(64) == b"pong"
        return [name for name in links if has_answer(taps[name])]


def asker(client: socket.socket, server: socket.socket, target: str) -> tuple[str, int]:
    """Who asked; a link that was just made may drop the first packets."""
    for _ in range(50):
        client.sendto(b"ping", (target, 5300))
        with suppress(TimeoutError):
            _, peer = server.recvfrom(64)
            return str(peer[0]), int(peer[1])
    raise AssertionError(f"nothing reaches {target}")


def tap(namespace: Namespace, link: IfName) -> socket.socket:
    opened = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW)
    opened.bind((link, 0x0003))
    opened.setblocking(False)
    return opened


def has_answer(opened: socket.socket) -> bool:
    try:
        while True:
            if opened.recv(2048).endswith(b"pong"):
                return True
    except BlockingIOError:
        return False


def through_the_node(world: AttachedPod, pod_address: str) -> None:
    """The outside sends to the pod by the node, as a NodePort's DNAT or a static route does."""
    apply(world.outside, [AddRoute(route(f"{pod_address}/32", "lan", "10.6.212.132"))])


def test_what_came_by_the_node_is_answered_by_the_node(world: AttachedPod) -> None:
    world.macvlan("eth0", 144)
    asyncio.run(world.call(CniCommand.ADD, "eth0", 144, mode="underlay"))
    through_the_node(world, "10.6.212.144")
    assert exchange(world, "10.6.212.144") == ["veth0"]


def test_what_came_by_the_network_is_answered_by_the_network(world: AttachedPod) -> None:
    """The control: the same exchange without the node in between."""
    world.macvlan("eth0", 144)
    asyncio.run(world.call(CniCommand.ADD, "eth0", 144, mode="underlay"))
    assert exchange(world, "10.6.212.144") == ["eth0"]


def test_without_the_mark_the_answer_would_take_the_other_way(world: AttachedPod) -> None:
    world.macvlan("eth0", 144)
    asyncio.run(world.call(CniCommand.ADD, "eth0", 144, mode="underlay"))
    through_the_node(world, "10.6.212.144")
    apply(world.pod, [UnmarkReplies(IfName("veth0"))])
    assert exchange(world, "10.6.212.144") == ["eth0"]


def test_eth0s_address_is_answered_by_eth0_and_net1s_by_net1(world: AttachedPod) -> None:
    """A peer in net1's network that talks to eth0's address."""
    world.calico()
    world.macvlan("net1", 145)
    apply(world.node, [SetSysctl(f"ipv4/conf/{CALI}/proxy_arp", "1")])
    asyncio.run(world.call(CniCommand.ADD, "net1", 145, mode="overlay"))
    through_the_node(world, "10.233.73.210")
    assert exchange(world, "10.233.73.210") == ["eth0"]
    assert exchange(world, "10.6.212.145") == ["net1"]
    rule = next(rule for rule in dump(world.pod).rules if rule.table == 100)
    apply(world.pod, [DeleteRule(rule)])
    assert exchange(world, "10.6.212.145") != ["net1"]
