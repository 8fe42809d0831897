"""Links: what the model and the kernel agree upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from spiderpool.netlink.objects import LinkKind, Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteAddress,
    DeleteLink,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    Operation,
    Peer,
    SetNeighbour,
)
from spiderpool.testing.builders import address, direct, down, neighbour, pair, route, up
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

NET = (pair("eth0", "peer0", 10), up("peer0"), pair("net1", "peer1", 20), up("peer1"))
V4 = (*NET, AddAddress(address("eth0", "10.1.0.2/16")), AddAddress(address("net1", "10.6.0.2/16")))
V6 = (*NET, AddAddress(address("eth0", "fd01::2/64")), AddAddress(address("net1", "fd06::2/64")))
DEFAULT0 = route("0.0.0.0/0", "eth0", "10.1.0.1")
DEFAULT1 = route("0.0.0.0/0", "net1", "10.6.0.1")
SIX0 = route("::/0", "eth0", "fd01::1")
SIX1 = route("::/0", "net1", "fd06::1")
T100 = TableID(100)

PLANS: dict[str, Sequence[Operation]] = {
    "a veth pair": NET,
    "loopback up": (up("lo"),),
    "a name twice": (*NET, pair("eth0", "other", 30)),
    "a peer's name twice": (*NET, pair("other", "eth0", 30)),
    "an index twice": (*NET, pair("other", "one", 10)),
    "macvlan and its parent gone": (
        pair("eth0", "peer0", 10),
        CreateLink(
            IfName("net1"),
            LinkKind.MACVLAN,
            index=30,
            mac="02:00:00:00:00:50",
            parent=IfName("eth0"),
            up=True,
        ),
        AddAddress(address("net1", "10.6.0.2/16")),
        DeleteLink(IfName("eth0")),
    ),
    "macvlan takes the parent's MTU": (
        CreateLink(
            IfName("eth0"),
            LinkKind.VETH,
            index=10,
            mac="02:00:00:00:00:10",
            mtu=1430,
            peer=Peer(IfName("p"), index=11, mac="02:00:00:00:00:11", mtu=1440),
        ),
        CreateLink(
            IfName("net1"),
            LinkKind.MACVLAN,
            index=30,
            mac="02:00:00:00:00:50",
            parent=IfName("eth0"),
            txqueuelen=5,
        ),
    ),
    "macvlan without a parent": (
        CreateLink(IfName("net1"), LinkKind.MACVLAN, parent=IfName("nowhere")),
    ),
    "a bridge with ports, deleted": (
        *NET,
        CreateLink(IfName("br0"), LinkKind.BRIDGE, index=50, mac="02:00:00:00:00:01", up=True),
        ChangeLink(IfName("eth0"), master=IfName("br0")),
        ChangeLink(IfName("peer1"), master=IfName("br0")),
        DeleteLink(IfName("br0")),
    ),
    "a bridge with a port": (
        *NET,
        CreateLink(IfName("br0"), LinkKind.BRIDGE, index=50, mac="02:00:00:00:00:01", up=True),
        ChangeLink(IfName("eth0"), master=IfName("br0")),
    ),
    "delete what is not there": (
        DeleteLink(IfName("eth0")),
        DeleteRule(Rule(1, T100)),
        DeleteRoute(route("10.0.0.0/8", "lo")),
        DeleteAddress(address("lo", "10.0.0.1/8")),
        DeleteNeighbour(neighbour("lo", "10.0.0.1")),
        DeleteLink(IfName("lo")),
        up("nowhere"),
        AddAddress(address("nowhere", "10.0.0.1/8")),
        SetNeighbour(neighbour("nowhere", "10.0.0.1")),
        AddRoute(route("10.0.0.0/8", "nowhere")),
        DeleteRoute(route("10.0.0.0/8", "nowhere")),
        DeleteRoute(route("fd00::/8", "lo")),
        DeleteAddress(address("lo", "fd00::1/64")),
    ),
    "change a link": (
        *NET,
        ChangeLink(IfName("eth0"), mac="02:00:00:00:00:77", mtu=1400, txqueuelen=10),
    ),
    "a link goes down and up": (
        *V4,
        *V6[-2:],
        AddRoute(DEFAULT0),
        AddRoute(SIX0),
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
        down("eth0"),
        up("eth0"),
    ),
    "a link goes down": (
        *V4,
        *V6[-2:],
        AddRoute(DEFAULT0),
        AddRoute(SIX0),
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
        SetNeighbour(neighbour("eth0", "10.1.0.7", proxy=True)),
        down("eth0"),
    ),
    "a link is deleted": (
        *V4,
        *V6[-2:],
        AddRoute(DEFAULT0),
        AddRoute(DEFAULT1),
        AddRoute(SIX0),
        AddRoute(SIX1),
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
        AddRule(Rule(100, T100, iif=IfName("eth0"))),
        DeleteLink(IfName("eth0")),
    ),
    "the source of a route is deleted with its link": (
        *V4,
        AddRoute(direct("10.9.0.0/16", "net1", src="10.1.0.2")),
        DeleteLink(IfName("eth0")),
    ),
    "a new MAC empties the neighbours": (
        *V4,
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
        SetNeighbour(neighbour("net1", "10.6.0.1")),
        ChangeLink(IfName("eth0"), mac="02:00:00:00:00:78"),
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_model_and_kernel_agree(
    case: str, agree: Callable[[Sequence[Operation]], list[int]]
) -> None:
    agree(PLANS[case])
