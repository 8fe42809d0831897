"""A cluster with both families: pods, nodes and hosts reach each other by either."""

from __future__ import annotations

import asyncio
import socket

import pytest
from page_cluster import DUAL, PageCluster

from harness.netns import isolated
from harness.topology.load import load
from spiderpool.types.address import Family, family_of

pytestmark = pytest.mark.kernel

OUTSIDE = {Family.V4: "10.7.212.101", Family.V6: "fd00:10:7::101"}


def crossings() -> dict[str, bool]:
    """Whether each echo request was answered, by what it is."""
    cluster = PageCluster(load(DUAL))
    asyncio.run(cluster.up())
    one, other = cluster.addresses["controller-0"], cluster.addresses["worker01-1"]
    assert [family_of(address) for address in one] == [Family.V4, Family.V6]
    return {
        "pod to pod": cluster.ping("controller-0", other[1]),
        "pod to pod in IPv4": cluster.ping("controller-0", other[0]),
        "pod to its neighbour": cluster.ping("controller-0", cluster.addresses["controller-1"][1]),
        "node to its pod": cluster.ping("controller", one[1]),
        "node to another's pod": cluster.ping("controller", other[1]),
        "pod to its node": cluster.ping("controller-0", "fd00:10:6::131"),
        "client to outside": cluster.ping("client", OUTSIDE[Family.V6]),
    }


def test_both_families_reach() -> None:
    answered = isolated.call(crossings)
    assert answered == dict.fromkeys(answered, True)


def nobody_is_there() -> bool:
    """The control: an address that nobody has is not reached."""
    cluster = PageCluster(load(DUAL))
    asyncio.run(cluster.up())
    with cluster.ledger["client"].socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        sock.connect((OUTSIDE[Family.V6].replace("101", "102"), 9))
        sock.send(b"?")
        try:
            sock.recv(1)
        except OSError:
            return True
    return False


def test_an_unused_address_is_not_reached() -> None:
    assert isolated.call(nobody_is_there)
