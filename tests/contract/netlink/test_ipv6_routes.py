"""IPv6 routes: what the model and the kernel agree upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    DeleteRoute,
    Operation,
)
from spiderpool.testing.builders import address, down, leg, pair, route, up
from spiderpool.types.address import Address

pytestmark = pytest.mark.kernel

NET = (pair("eth0", "peer0", 10), up("peer0"), pair("net1", "peer1", 20), up("peer1"))
V6 = (*NET, AddAddress(address("eth0", "fd01::2/64")), AddAddress(address("net1", "fd06::2/64")))
SIX0 = route("::/0", "eth0", "fd01::1")
SIX1 = route("::/0", "net1", "fd06::1")

PLANS: dict[str, Sequence[Operation]] = {
    "IPv6 defaults become one": (*V6, AddRoute(SIX0), AddRoute(SIX1)),
    "one leg of an IPv6 default goes": (*V6, AddRoute(SIX0), AddRoute(SIX1), DeleteRoute(SIX0)),
    "both legs go by one multipath route": (
        *V6,
        AddRoute(SIX0),
        AddRoute(SIX1),
        DeleteRoute(
            replace(
                SIX0,
                link=None,
                gateway=None,
                nexthops=(leg("eth0", "fd01::1"), leg("net1", "fd06::1")),
            )
        ),
    ),
    "the link of one leg goes down": (*V6, AddRoute(SIX0), AddRoute(SIX1), down("eth0")),
    "the links of both legs go down": (
        *V6,
        AddRoute(SIX0),
        AddRoute(SIX1),
        down("eth0"),
        down("net1"),
    ),
    "the link of one leg goes down and up": (
        *V6,
        AddRoute(SIX0),
        AddRoute(SIX1),
        down("eth0"),
        up("eth0"),
    ),
    "the same IPv6 route twice": (*V6, AddRoute(SIX0), AddRoute(SIX0)),
    "the same IPv6 route with another source": (
        *V6,
        AddRoute(SIX0),
        AddRoute(replace(SIX0, source=Address("fd01::2"))),
    ),
    "IPv6 routes without gateways stay apart": (
        *V6,
        AddRoute(route("fd09::/16", "eth0")),
        AddRoute(route("fd09::/16", "net1")),
    ),
    "gateways of IPv6 out of reach": (
        *V6,
        AddRoute(route("::/0", "eth0", "fd09::1")),
        AddRoute(route("::/0", "eth0", "fd06::1")),
        AddRoute(route("::/0", "eth0", "fe80::1")),
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_model_and_kernel_agree(
    case: str, agree: Callable[[Sequence[Operation]], list[int]]
) -> None:
    agree(PLANS[case])
