"""Rules, neighbours, sysctls: what the model and the kernel agree upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from spiderpool.netlink.objects import Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRule,
    DeleteAddress,
    DeleteNeighbour,
    DeleteRule,
    Operation,
    SetNeighbour,
    SetSysctl,
)
from spiderpool.testing.builders import address, down, neighbour, pair, up
from spiderpool.types.address import Family, Prefix
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

NET = (pair("eth0", "peer0", 10), up("peer0"), pair("net1", "peer1", 20), up("peer1"))
V4 = (*NET, AddAddress(address("eth0", "10.1.0.2/16")), AddAddress(address("net1", "10.6.0.2/16")))
V6 = (*NET, AddAddress(address("eth0", "fd01::2/64")), AddAddress(address("net1", "fd06::2/64")))
T100 = TableID(100)
T500 = TableID(500)

PLANS: dict[str, Sequence[Operation]] = {
    "neighbours": (
        *V4,
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
        SetNeighbour(neighbour("eth0", "fd01::1")),
        SetNeighbour(neighbour("eth0", "10.1.0.1", "02:00:00:00:00:98")),
        SetNeighbour(neighbour("eth0", "10.1.0.7", proxy=True)),
        SetNeighbour(neighbour("eth0", "10.1.0.8")),
        DeleteNeighbour(neighbour("eth0", "10.1.0.8")),
        DeleteNeighbour(neighbour("eth0", "10.1.0.8")),
    ),
    "neighbours of a link that is down": (
        *NET,
        down("eth0"),
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
    ),
    "rules": (
        AddRule(Rule(32760, T100, source=Prefix("10.6.0.2/32"))),
        AddRule(Rule(1000, T500)),
        AddRule(Rule(1000, T100, mark=1)),
        AddRule(Rule(1001, T100, mark=1, mask=0xFF)),
        AddRule(
            Rule(7, T100, destination=Prefix("10.0.0.0/8"), iif=IfName("eth0"), oif=IfName("lo"))
        ),
        AddRule(Rule(32760, T100, Family.V6, source=Prefix("fd06::2/128"))),
        AddRule(Rule(8, T500, source=Prefix("0.0.0.0/0"))),
    ),
    "a rule for all beside one for a source": (
        AddRule(Rule(1000, T500, source=Prefix("10.6.0.2/32"))),
        AddRule(Rule(1000, T500)),
        AddRule(Rule(1000, T500)),
    ),
    "the last IPv4 address takes the neighbours": (
        *V4,
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
        SetNeighbour(neighbour("eth0", "fd01::1")),
        DeleteAddress(address("eth0", "10.1.0.2/16")),
    ),
    "a rule twice": (AddRule(Rule(1000, T500)), AddRule(Rule(1000, T500))),
    "a rule deleted by less than it says": (
        AddRule(Rule(5, T100, source=Prefix("10.6.0.2/32"))),
        DeleteRule(Rule(5, T100)),
    ),
    "a rule deleted": (
        AddRule(Rule(5, T100, source=Prefix("10.6.0.2/32"))),
        AddRule(Rule(5, T100, source=Prefix("10.6.0.3/32"))),
        DeleteRule(Rule(5, T100, source=Prefix("10.6.0.3/32"))),
    ),
    "sysctls": (
        *NET,
        SetSysctl("ipv4/conf/eth0/rp_filter", "2"),
        SetSysctl("ipv4/conf/nowhere/rp_filter", "2"),
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_model_and_kernel_agree(
    case: str, agree: Callable[[Sequence[Operation]], list[int]]
) -> None:
    agree(PLANS[case])
