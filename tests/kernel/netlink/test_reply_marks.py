"""MarkReplies, as nft lists it and as packets go."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from spiderpool.netlink.apply import apply
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkKind, Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    CreateLink,
    MarkReplies,
    Peer,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.netlink.text import as_command
from spiderpool.testing.builders import address, direct, known_mac, neighbour, route, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

LINK = IfName("veth0")
T100 = TableID(100)
POD, NODE, ELSEWHERE = "10.1.0.2", "10.6.212.132", "10.1.0.1"
PORT = 5300


@dataclass
class Cluster:
    """A pod whose default is ``eth0``, and a node that reaches it by ``veth0``."""

    pod: Namespace
    node: Namespace
    outside: Namespace


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with new_namespace() as pod, new_namespace() as node, new_namespace() as outside:
        apply(
            pod,
            (
                _veth("eth0", outside, 10),
                _veth("veth0", node, 20),
                AddAddress(address("eth0", f"{POD}/24")),
                AddRoute(direct(f"{NODE}/32", "veth0", table=T100)),
                AddRoute(route("0.0.0.0/0", "eth0", ELSEWHERE)),
                AddRule(Rule(1000, T100, mark=1)),
                SetNeighbour(neighbour("eth0", ELSEWHERE, known_mac(11))),
                SetNeighbour(neighbour("veth0", NODE, known_mac(21))),
                SetSysctl("ipv4/conf/all/rp_filter", "0"),
                SetSysctl("ipv4/conf/veth0/rp_filter", "0"),
            ),
        )
        apply(outside, (up("peer"),))
        apply(
            node,
            (
                up("peer"),
                AddAddress(address("peer", f"{NODE}/32")),
                AddRoute(direct(f"{POD}/32", "peer")),
                SetNeighbour(neighbour("peer", POD, known_mac(20))),
            ),
        )
        yield Cluster(pod, node, outside)


def _veth(name: str, elsewhere: Namespace, index: int) -> CreateLink:
    peer = Peer(IfName("peer"), elsewhere.fd, mac=known_mac(index + 1), index=index + 1)
    return CreateLink(
        IfName(name), LinkKind.VETH, index=index, mac=known_mac(index), up=True, peer=peer
    )


def reply_arrives(cluster: Cluster, at: Namespace) -> bytes:
    """Ask the pod from the node, and return the reply as seen on ``at``'s link.

    Asked again for five seconds: a link that has just come up drops what it is given until
    the kernel's link watch has attached its queue.
    """
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    with (
        cluster.pod.socket(socket.AF_INET, kind) as server,
        cluster.node.socket(socket.AF_INET, kind) as client,
        at.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as sniffer,
    ):
        for endpoint in (server, client, sniffer):
            endpoint.settimeout(0.1)
        server.bind(("0.0.0.0", PORT))
        client.bind((NODE, 0))
        for _ in range(50):
            with suppress(TimeoutError):
                client.sendto(b"ping", (POD, PORT))
                _, asker = server.recvfrom(100)
                server.sendto(b"pong", asker)
                return _incoming_reply(sniffer)
    raise AssertionError("no reply was seen there")


def _incoming_reply(sniffer: socket.socket) -> bytes:
    while True:
        packet, (_, _, direction, *_) = sniffer.recvfrom(2000)
        if direction != socket.PACKET_OUTGOING and packet.endswith(b"pong"):
            return packet


def test_without_marks_the_reply_leaves_by_the_default(cluster: Cluster) -> None:
    assert reply_arrives(cluster, cluster.outside)


def test_with_marks_the_reply_leaves_as_the_request_came(cluster: Cluster) -> None:
    apply(cluster.pod, (MarkReplies(LINK, 1),))
    assert reply_arrives(cluster, cluster.node)


def test_unmarked_again_the_reply_leaves_by_the_default(cluster: Cluster) -> None:
    apply(cluster.pod, (MarkReplies(LINK, 1), UnmarkReplies(LINK, 1)))
    assert reply_arrives(cluster, cluster.outside)


@pytest.mark.binary("nft")
@pytest.mark.parametrize("mark", [1, 0xABCD1234])
def test_nft_lists_what_its_own_command_would_make(mark: int) -> None:
    operation = MarkReplies(LINK, mark)
    with new_namespace() as ours, new_namespace() as reference:
        apply(ours, (operation,))
        assert run(reference, as_command(operation)) == ""
        listing = run(ours, "nft list ruleset")
        assert listing == run(reference, "nft list ruleset")
        assert f"ct mark set 0x{mark:08x}" in listing
        assert run(reference, as_command(UnmarkReplies(LINK, mark))) == ""
        apply(ours, (UnmarkReplies(LINK, mark),))
        assert run(ours, "nft list ruleset") == run(reference, "nft list ruleset") == ""


def run(namespace: Namespace, command: str) -> str:
    with namespace.entered():
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return done.stdout
