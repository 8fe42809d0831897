"""IPv4 routes: what the model and the kernel agree upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from spiderpool.netlink.objects import RouteType, Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    DeleteAddress,
    DeleteLink,
    DeleteRoute,
    Operation,
)
from spiderpool.testing.builders import address, direct, down, leg, pair, route, up
from spiderpool.types.address import Address
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

NET = (pair("eth0", "peer0", 10), up("peer0"), pair("net1", "peer1", 20), up("peer1"))
V4 = (*NET, AddAddress(address("eth0", "10.1.0.2/16")), AddAddress(address("net1", "10.6.0.2/16")))
V6 = (*NET, AddAddress(address("eth0", "fd01::2/64")), AddAddress(address("net1", "fd06::2/64")))
DEFAULT0 = route("0.0.0.0/0", "eth0", "10.1.0.1")
DEFAULT1 = route("0.0.0.0/0", "net1", "10.6.0.1")
BOTH = route("0.0.0.0/0", nexthops=(leg("eth0", "10.1.0.1"), leg("net1", "10.6.0.1", 3)))
T100 = TableID(100)
T500 = TableID(500)

PLANS: dict[str, Sequence[Operation]] = {
    "two defaults beside each other": (*V4, AddRoute(DEFAULT0), AddRoute(DEFAULT1)),
    "the same route twice": (*V4, AddRoute(DEFAULT0), AddRoute(DEFAULT0)),
    "another source, another route": (
        *V4,
        AddRoute(DEFAULT0),
        AddRoute(replace(DEFAULT0, source=Address("10.1.0.2"))),
    ),
    "another protocol, another route": (
        *V4,
        AddRoute(DEFAULT0),
        AddRoute(replace(DEFAULT0, protocol=4)),
    ),
    "another metric, another route": (
        *V4,
        AddRoute(DEFAULT0),
        AddRoute(replace(DEFAULT0, metric=5)),
    ),
    "a default deleted by its gateway": (
        *V4,
        AddRoute(DEFAULT0),
        AddRoute(DEFAULT1),
        DeleteRoute(DEFAULT0),
        DeleteRoute(DEFAULT0),
    ),
    "the link of one IPv4 leg goes down": (*V4, AddRoute(BOTH), down("eth0")),
    "the link of one IPv4 leg goes down and up": (*V4, AddRoute(BOTH), down("eth0"), up("eth0")),
    "the links of both IPv4 legs go down": (*V4, AddRoute(BOTH), down("eth0"), down("net1")),
    "the link of one IPv4 leg is deleted": (*V4, AddRoute(BOTH), DeleteLink(IfName("eth0"))),
    "the last address of one IPv4 leg goes": (
        *V4,
        AddRoute(BOTH),
        DeleteAddress(address("eth0", "10.1.0.2/16")),
    ),
    "IPv4 multipath is deleted by one leg": (*V4, AddRoute(BOTH), DeleteRoute(DEFAULT0)),
    "IPv4 multipath is deleted": (*V4, AddRoute(BOTH), DeleteRoute(BOTH)),
    "IPv4 multipath": (*V4, AddRoute(BOTH)),
    "gateways out of reach": (
        *V4,
        AddRoute(route("0.0.0.0/0", "eth0", "10.9.0.1")),
        AddRoute(route("0.0.0.0/0", "eth0", "10.6.0.1")),
        AddRoute(route("0.0.0.0/0", "eth0", "10.9.0.1", on_link=True)),
    ),
    "gateway by a route of link scope": (
        *NET,
        AddAddress(address("eth0", "10.233.73.210/32")),
        AddRoute(direct("169.254.1.1/32", "eth0")),
        AddRoute(route("0.0.0.0/0", "eth0", "169.254.1.1")),
        AddRoute(direct("10.6.0.9/32", "eth0", table=T100)),
        AddRoute(route("10.233.0.0/18", "eth0", "10.6.0.9", table=T100)),
        AddRoute(route("10.233.0.0/18", "eth0", "10.6.0.9")),
    ),
    "gateway by a table that a rule names": (
        *V4,
        AddRoute(direct("10.9.0.0/16", "eth0", table=T500)),
        AddRule(Rule(1000, T500)),
        AddRoute(route("10.10.0.0/16", "eth0", "10.9.0.1")),
    ),
    "routes by a link that is down": (
        *NET,
        down("eth0"),
        AddRoute(direct("10.9.0.0/16", "eth0")),
        AddRoute(route("fd09::/16", "eth0")),
    ),
    "a source that is not ours": (
        *V4,
        AddRoute(direct("10.9.0.0/16", "eth0", src="10.1.0.77")),
        *V6[-2:],
        AddRoute(route("fd09::/16", "eth0", src="fd01::77")),
        AddRoute(direct("10.9.0.0/16", "eth0", src="10.6.0.2")),
        AddRoute(route("fd09::/16", "eth0", src="fd06::2")),
    ),
    "routes that reject": (
        up("lo"),
        AddRoute(route("10.9.0.0/16", type=RouteType.BLACKHOLE)),
        AddRoute(route("10.10.0.0/16", type=RouteType.UNREACHABLE, table=T100)),
        AddRoute(route("fd09::/16", type=RouteType.PROHIBIT)),
        DeleteRoute(route("10.9.0.0/16", type=RouteType.BLACKHOLE)),
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_model_and_kernel_agree(
    case: str, agree: Callable[[Sequence[Operation]], list[int]]
) -> None:
    agree(PLANS[case])
