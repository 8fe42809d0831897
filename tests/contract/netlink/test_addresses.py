"""Addresses and their routes: what the model and the kernel agree upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    DeleteAddress,
    Operation,
)
from spiderpool.testing.builders import address, direct, down, pair, route, up
from spiderpool.types.names import TableID

pytestmark = pytest.mark.kernel

NET = (pair("eth0", "peer0", 10), up("peer0"), pair("net1", "peer1", 20), up("peer1"))
V4 = (*NET, AddAddress(address("eth0", "10.1.0.2/16")), AddAddress(address("net1", "10.6.0.2/16")))
V6 = (*NET, AddAddress(address("eth0", "fd01::2/64")), AddAddress(address("net1", "fd06::2/64")))
DEFAULT0 = route("0.0.0.0/0", "eth0", "10.1.0.1")
DEFAULT1 = route("0.0.0.0/0", "net1", "10.6.0.1")
SIX0 = route("::/0", "eth0", "fd01::1")
T100 = TableID(100)

PLANS: dict[str, Sequence[Operation]] = {
    "addresses make routes": V4,
    "addresses of IPv6 make routes": V6,
    "address on a link that is down": (
        pair("eth0", "peer0", 10),
        down("eth0"),
        AddAddress(address("eth0", "10.1.0.2/16")),
        AddAddress(address("eth0", "fd01::2/64")),
    ),
    "the link comes up later": (
        pair("eth0", "peer0", 10),
        down("eth0"),
        AddAddress(address("eth0", "10.1.0.2/16")),
        AddAddress(address("eth0", "fd01::2/64")),
        up("eth0"),
    ),
    "a host address makes no IPv4 route": (
        *NET,
        AddAddress(address("eth0", "10.1.0.2/32")),
        AddAddress(address("eth0", "fd01::2/128")),
    ),
    "no prefix route": (
        *NET,
        AddAddress(address("eth0", "10.1.0.2/16", no_prefix_route=True)),
        AddAddress(address("eth0", "fd01::2/64", no_prefix_route=True)),
    ),
    "an address twice": (*V4, AddAddress(address("eth0", "10.1.0.2/16"))),
    "an IPv6 address twice": (*V6, AddAddress(address("eth0", "fd01::2/80"))),
    "an address with another length": (*V4, AddAddress(address("eth0", "10.1.0.2/24"))),
    "secondaries go with their primary": (
        *V4,
        AddAddress(address("eth0", "10.1.0.3/16")),
        AddAddress(address("eth0", "10.2.0.3/16")),
        DeleteAddress(address("eth0", "10.1.0.2/16")),
    ),
    "a secondary goes": (
        *V4,
        AddAddress(address("eth0", "10.1.0.3/16")),
        DeleteAddress(address("eth0", "10.1.0.3/16")),
    ),
    "two links in one network": (*V4, AddAddress(address("net1", "10.1.0.9/16"))),
    "the last address takes the routes": (
        *V4,
        AddRoute(DEFAULT0),
        AddRoute(replace(DEFAULT0, table=T100)),
        AddRoute(DEFAULT1),
        DeleteAddress(address("eth0", "10.1.0.2/16")),
    ),
    "routes with a source that goes": (
        *V4,
        AddAddress(address("eth0", "10.3.0.2/16")),
        AddRoute(direct("10.9.0.0/16", "eth0", src="10.1.0.2")),
        AddRoute(direct("10.9.0.0/16", "net1", src="10.1.0.2")),
        AddRoute(direct("10.9.0.0/16", "net1", src="10.1.0.2", table=T100)),
        DeleteAddress(address("eth0", "10.1.0.2/16")),
    ),
    "IPv6 routes with a source that goes": (
        *V6,
        AddAddress(address("eth0", "fd03::2/64")),
        AddRoute(route("fd09::/16", "eth0", src="fd01::2")),
        AddRoute(route("fd09::/16", "net1", src="fd01::2", table=T100)),
        AddRoute(SIX0),
        DeleteAddress(address("eth0", "fd01::2/64")),
    ),
    "the last IPv6 address goes": (
        *V6,
        AddRoute(SIX0),
        DeleteAddress(address("eth0", "fd01::2/64")),
    ),
    "two IPv6 addresses in one network": (
        *V6,
        AddAddress(address("eth0", "fd01::3/64")),
        DeleteAddress(address("eth0", "fd01::2/64")),
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_model_and_kernel_agree(
    case: str, agree: Callable[[Sequence[Operation]], list[int]]
) -> None:
    agree(PLANS[case])
