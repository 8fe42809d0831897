"""Our messages, read by pyroute2: it must find what the operation says.

And read by our own decoder, which must give the object back.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from netlink_objects import INDICES, NAMES, link_addresses, neighbours, routes, rules
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from spiderpool.netlink import decode, uapi
from spiderpool.netlink.encode import UnknownLink, encode
from spiderpool.netlink.objects import (
    LinkAddress,
    LinkKind,
    Neighbour,
    NextHop,
    Route,
    RouteType,
    Rule,
)
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
    MarkReplies,
    Operation,
    Peer,
    SetNeighbour,
    SetSysctl,
)
from spiderpool.types.address import (
    Address,
    Prefix,
    address_of,
    length_of,
)
from spiderpool.types.names import IfName

CREATE = uapi.NLM_F_REQUEST | uapi.NLM_F_CREATE


def read(kind: Any, operation: Operation, number: int, flags: int) -> Any:
    """The message as pyroute2 reads it, after its header was checked."""
    raw = encode(operation, INDICES)
    message = kind(raw)
    message.decode()
    header = message["header"]
    assert (header["type"], header["flags"]) == (number, flags)
    assert header["length"] == len(raw)
    assert len(raw) % 4 == 0
    return message


def body(operation: Operation) -> bytes:
    return encode(operation, INDICES)[16:]


@given(routes())
def test_routes(route: Route) -> None:
    append = CREATE | uapi.NLM_F_APPEND
    message = read(rtmsg, AddRoute(route), uapi.RTM_NEWROUTE, append)
    assert message["family"] == route.family
    assert message["dst_len"] == length_of(route.destination)
    assert (message["scope"], message["type"], message["proto"]) == (
        route.scope,
        route.type,
        route.protocol,
    )
    assert bool(message["flags"] & uapi.RTNH_F_ONLINK) == route.on_link
    assert (message.get_attr("RTA_TABLE") or message["table"]) == route.table
    assert message.get_attr("RTA_PRIORITY", 0) == route.metric
    assert message.get_attr("RTA_PREFSRC") == route.source
    if length_of(route.destination):
        assert message.get_attr("RTA_DST") == address_of(route.destination)
    if route.nexthops:
        legs = message.get_attr("RTA_MULTIPATH")
        assert [
            NextHop(NAMES[leg["oif"]], leg.get_attr("RTA_GATEWAY"), leg["hops"] + 1) for leg in legs
        ] == list(route.nexthops)
    else:
        assert message.get_attr("RTA_GATEWAY") == route.gateway
        assert message.get_attr("RTA_OIF") == INDICES[IfName(str(route.link))]


@given(routes())
def test_routes_are_read_back(route: Route) -> None:
    assert decode.route(body(AddRoute(route)), NAMES.get) == route
    assert body(DeleteRoute(route)) == body(AddRoute(route))


def test_a_route_that_rejects_has_no_link() -> None:
    route = Route(Prefix("10.0.0.0/8"), type=RouteType.BLACKHOLE)
    message = read(rtmsg, DeleteRoute(route), uapi.RTM_DELROUTE, uapi.NLM_F_REQUEST)
    assert message["type"] == 6
    assert message.get_attr("RTA_OIF") is None
    assert decode.route(body(AddRoute(route)), NAMES.get) == route


def test_an_ipv6_gateway_of_an_ipv4_route() -> None:
    route = Route(Prefix("10.0.0.0/8"), IfName("eth0"), Address("fe80::1"))
    message = read(rtmsg, DeleteRoute(route), uapi.RTM_DELROUTE, uapi.NLM_F_REQUEST)
    assert message.get_attr("RTA_VIA") == {"family": socket.AF_INET6, "addr": "fe80::1"}
    assert decode.route(body(AddRoute(route)), NAMES.get) == route


@given(rules())
def test_rules(rule: Rule) -> None:
    message = read(fibmsg, AddRule(rule), uapi.RTM_NEWRULE, CREATE | uapi.NLM_F_EXCL)
    assert (message["family"], message["action"]) == (rule.family, rule.action)
    assert message.get_attr("FRA_PRIORITY") == rule.priority
    assert (message.get_attr("FRA_TABLE") or message["table"]) == rule.table
    for prefix, length, name in (
        (rule.source, "src_len", "FRA_SRC"),
        (rule.destination, "dst_len", "FRA_DST"),
    ):
        assert message.get_attr(name) == (address_of(prefix) if prefix else None)
        assert message[length] == (length_of(prefix) if prefix else 0)
    assert message.get_attr("FRA_FWMARK") == rule.mark
    assert message.get_attr("FRA_FWMASK") == rule.mask
    assert message.get_attr("FRA_IIFNAME") == rule.iif
    assert message.get_attr("FRA_OIFNAME") == rule.oif
    assert decode.rule(body(AddRule(rule))) == rule
    assert body(DeleteRule(rule)) == body(AddRule(rule))


@given(link_addresses())
def test_addresses(entry: LinkAddress) -> None:
    message = read(ifaddrmsg, AddAddress(entry), uapi.RTM_NEWADDR, CREATE | uapi.NLM_F_EXCL)
    assert (message["family"], message["prefixlen"]) == (entry.family, length_of(entry.address))
    assert (message["index"], message["scope"]) == (INDICES[entry.link], entry.scope)
    assert message.get_attr("IFA_LOCAL") == address_of(entry.address)
    assert message.get_attr("IFA_ADDRESS") == address_of(entry.address)
    assert message.get_attr("IFA_BROADCAST") == entry.broadcast
    flags = message.get_attr("IFA_FLAGS") or 0
    assert flags == entry.no_dad * uapi.IFA_F_NODAD | (
        entry.no_prefix_route * uapi.IFA_F_NOPREFIXROUTE
    )
    assert decode.address(body(AddAddress(entry)), NAMES.get) == entry
    assert body(DeleteAddress(entry)) == body(AddAddress(entry))


@given(neighbours())
def test_neighbours(entry: Neighbour) -> None:
    replace = CREATE | uapi.NLM_F_REPLACE
    message = read(ndmsg, SetNeighbour(entry), uapi.RTM_NEWNEIGH, replace)
    assert (message["family"], message["ifindex"]) == (entry.family, INDICES[entry.link])
    assert message.get_attr("NDA_DST") == entry.address
    assert message.get_attr("NDA_LLADDR", "") == entry.mac
    assert bool(message["flags"] & 8) == entry.proxy
    assert message["state"] == (0x80 if entry.permanent else 0x02)
    assert decode.neighbour(body(SetNeighbour(entry)), NAMES.get) == entry
    assert body(DeleteNeighbour(entry)) == body(SetNeighbour(entry))


def test_a_veth_pair() -> None:
    peer = Peer(IfName("eth0"), namespace=9, mac="02:00:00:00:00:02", mtu=1400, index=7)
    wanted = CreateLink(
        IfName("cali1"), LinkKind.VETH, index=50, mac="ee:ee:ee:ee:ee:ee", mtu=1430, up=True,
        txqueuelen=5, master=IfName("net1"), peer=peer, namespace=8,
    )  # fmt: skip
    message = read(ifinfmsg, wanted, uapi.RTM_NEWLINK, CREATE | uapi.NLM_F_EXCL)
    assert (message["index"], message["flags"], message["change"]) == (50, 1, 1)
    assert message.get_attr("IFLA_IFNAME") == "cali1"
    assert message.get_attr("IFLA_ADDRESS") == "ee:ee:ee:ee:ee:ee"
    assert message.get_attr("IFLA_MTU") == 1430
    assert message.get_attr("IFLA_TXQLEN") == 5
    assert message.get_attr("IFLA_MASTER") == INDICES[IfName("net1")]
    assert message.get_attr("IFLA_NET_NS_FD") == 8
    assert message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "veth"
    other = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA", "VETH_INFO_PEER")
    assert (other["index"], other["flags"]) == (7, 0)
    assert other.get_attr("IFLA_IFNAME") == "eth0"
    assert other.get_attr("IFLA_ADDRESS") == "02:00:00:00:00:02"
    assert other.get_attr("IFLA_MTU") == 1400
    assert other.get_attr("IFLA_NET_NS_FD") == 9


@pytest.mark.parametrize(
    ("wanted", "attribute", "value"),
    [
        (
            CreateLink(IfName("net1"), LinkKind.MACVLAN, parent=IfName("eth0")),
            "IFLA_MACVLAN_MODE",
            "bridge",
        ),
        (
            CreateLink(IfName("eth0.9"), LinkKind.VLAN, parent=IfName("eth0"), vlan=9),
            "IFLA_VLAN_ID",
            9,
        ),
    ],
)
def test_a_link_upon_another(wanted: CreateLink, attribute: str, value: object) -> None:
    message = read(ifinfmsg, wanted, uapi.RTM_NEWLINK, CREATE | uapi.NLM_F_EXCL)
    assert message.get_attr("IFLA_LINK") == 2
    assert message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == wanted.kind
    assert message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA", attribute) == value


def test_a_change_touches_what_is_given() -> None:
    number, flags = uapi.RTM_NEWLINK, uapi.NLM_F_REQUEST
    message = read(ifinfmsg, ChangeLink(IfName("x"), mtu=1400), number, flags)
    assert (message["flags"], message["change"]) == (0, 0)
    assert [name for name, _ in message["attrs"]] == ["IFLA_IFNAME", "IFLA_MTU"]
    message = read(ifinfmsg, ChangeLink(IfName("x"), up=False), number, flags)
    assert (message["flags"], message["change"]) == (0, 1)
    message = read(ifinfmsg, ChangeLink(IfName("x"), up=True), number, flags)
    assert (message["flags"], message["change"]) == (1, 1)


def test_a_link_is_deleted_by_name() -> None:
    message = read(ifinfmsg, DeleteLink(IfName("x")), uapi.RTM_DELLINK, uapi.NLM_F_REQUEST)
    assert (message["index"], message.get_attr("IFLA_IFNAME")) == (0, "x")


def test_a_link_without_an_index_is_named() -> None:
    with pytest.raises(UnknownLink, match="gone"):
        encode(AddRoute(Route(Prefix("10.0.0.0/8"), IfName("gone"))), INDICES)


@pytest.mark.parametrize("operation", [SetSysctl("a", "b"), MarkReplies(IfName("eth0"))])
def test_other_operations_are_no_rtnetlink(operation: Operation) -> None:
    with pytest.raises(TypeError, match=type(operation).__name__):
        encode(operation, {})
