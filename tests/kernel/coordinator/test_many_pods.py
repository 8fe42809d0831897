"""A node with more pods than its neighbour tables are said to hold (upstream issue 3587).

The kernel counts permanent entries towards no limit (net/core/neighbour.c, neigh_alloc, since
Linux 5.0), and it bounds the others for all namespaces together; so the limits themselves are
only read here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from attached_pod import CALI, AttachedPod, attached_pod

from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.objects import Neighbour
from spiderpool.netlink.operations import SetNeighbour
from spiderpool.types.address import Address
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import IfName

pytestmark = pytest.mark.kernel

ROUTER = "10.6.0.1"
MAC = "02:00:00:00:00:99"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AttachedPod]:
    with attached_pod(tmp_path) as made:
        made.calico()
        made.macvlan("net1", 145)
        yield made


def limit(family: str) -> int:
    return int(Path(f"/proc/sys/net/{family}/neigh/default/gc_thresh3").read_text())


def crowded(world: AttachedPod) -> int:
    """Permanent entries on the node, as of so many other pods, in both families."""
    most = max(limit("ipv4"), limit("ipv6")) + 200
    apply(
        world.node,
        [
            SetNeighbour(Neighbour(IfName("ens192"), Address(text), MAC))
            for number in range(most)
            for text in (f"10.200.{number >> 8}.{number & 255}", f"fd00:200::{number:x}")
        ],
    )
    return most


def answer(world: AttachedPod) -> bytes:
    """One datagram to the router and back: both must find out where the other is."""
    with (
        world.outside.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        world.node.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.bind((ROUTER, 5300))
        server.settimeout(5)
        client.settimeout(5)
        client.sendto(b"ping", (ROUTER, 5300))
        data, sender = server.recvfrom(16)
        server.sendto(data, sender)
        return client.recv(16)


def test_pods_start_and_the_node_finds_its_neighbours(world: AttachedPod) -> None:
    most = crowded(world)
    asyncio.run(world.call(CniCommand.ADD, "net1", mode="overlay"))
    entries = dump(world.node).neighbours
    assert sum(entry.permanent for entry in entries) > 2 * most
    assert any(entry.link == CALI and entry.address == "10.6.212.145" for entry in entries)
    assert answer(world) == b"ping"
    asyncio.run(world.call(CniCommand.DEL, "net1"))
    assert not any(entry.link == CALI for entry in dump(world.node).neighbours if entry.permanent)
