"""Messages that pyroute2 writes, read by us: with attributes that we do not know, too."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from netlink_objects import INDICES, NAMES, link_addresses, links, macs, neighbours, routes, rules
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from spiderpool.netlink import decode, uapi
from spiderpool.netlink.objects import Link, LinkAddress, LinkKind, Neighbour, Route, Rule
from spiderpool.types.address import Prefix, address_of, family_of, length_of
from spiderpool.types.names import IfName

Attributes = list[tuple[str, Any]]
HEADER = 16
UNKNOWN = b"\x07\x00\xff\x3f\x01\x02\x03\x00"
"""An attribute of three bytes and a type that no kernel has yet."""


def written(kind: Any, fields: dict[str, Any], attributes: Attributes) -> bytes:
    """The body that pyroute2 makes of what is not None, with something unknown behind it."""
    message = kind()
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = [[name, value] for name, value in attributes if value is not None]
    message.encode()
    return bytes(message.data)[HEADER:] + UNKNOWN


def split(prefix: Prefix | None) -> tuple[str | None, int]:
    """Address and length; no address is written for a length of 0."""
    if prefix is None or not length_of(prefix):
        return None, 0
    return address_of(prefix), length_of(prefix)


@given(routes())
def test_routes(route: Route) -> None:
    destination, length = split(route.destination)
    hops = [
        {"oif": INDICES[leg.link], "hops": leg.weight - 1}
        | ({"attrs": [["RTA_GATEWAY", leg.gateway]]} if leg.gateway else {})
        for leg in route.nexthops
    ]
    body = written(
        rtmsg,
        {
            "family": route.family,
            "dst_len": length,
            "table": route.table if route.table < 256 else 0,
            "proto": route.protocol,
            "scope": route.scope,
            "type": route.type,
            "flags": uapi.RTNH_F_ONLINK * route.on_link,
        },
        [
            ("RTA_TABLE", route.table),
            ("RTA_DST", destination),
            ("RTA_GATEWAY", route.gateway),
            ("RTA_OIF", INDICES[route.link] if route.link else None),
            ("RTA_PREFSRC", route.source),
            ("RTA_PRIORITY", route.metric),
            ("RTA_MULTIPATH", hops or None),
        ],
    )
    assert decode.route(body, NAMES.get) == route


@given(rules())
def test_rules(rule: Rule) -> None:
    (source, source_length), (destination, length) = split(rule.source), split(rule.destination)
    body = written(
        fibmsg,
        {
            "family": rule.family,
            "src_len": source_length,
            "dst_len": length,
            "table": rule.table if rule.table < 256 else 0,
            "action": rule.action,
        },
        [
            ("FRA_PRIORITY", rule.priority),
            ("FRA_TABLE", rule.table),
            ("FRA_SRC", source),
            ("FRA_DST", destination),
            ("FRA_FWMARK", rule.mark),
            ("FRA_FWMASK", rule.mask),
            ("FRA_IIFNAME", rule.iif),
            ("FRA_OIFNAME", rule.oif),
        ],
    )
    assert decode.rule(body) == rule


@given(link_addresses())
def test_addresses(entry: LinkAddress) -> None:
    flags = entry.no_dad * uapi.IFA_F_NODAD | entry.no_prefix_route * uapi.IFA_F_NOPREFIXROUTE
    body = written(
        ifaddrmsg,
        {
            "family": entry.family,
            "prefixlen": length_of(entry.address),
            "index": INDICES[entry.link],
            "scope": entry.scope,
            "flags": flags & 0xFF,
        },
        [
            ("IFA_ADDRESS", address_of(entry.address)),
            ("IFA_LOCAL", address_of(entry.address)),
            ("IFA_BROADCAST", entry.broadcast),
            ("IFA_FLAGS", flags),
        ],
    )
    assert decode.address(body, NAMES.get) == entry


@given(neighbours())
def test_neighbours(entry: Neighbour) -> None:
    body = written(
        ndmsg,
        {
            "family": family_of(entry.address),
            "ifindex": INDICES[entry.link],
            "state": uapi.NUD_PERMANENT if entry.permanent else uapi.NUD_REACHABLE,
            "flags": uapi.NTF_PROXY * entry.proxy,
        },
        [("NDA_DST", entry.address), ("NDA_LLADDR", entry.mac or None)],
    )
    assert decode.neighbour(body, NAMES.get) == entry


@st.composite
def some_links(draw: st.DrawFn) -> Link:
    kind = draw(st.none() | st.sampled_from(list(LinkKind)))
    return Link(
        name=IfName(draw(st.text("abcdefgh.0123", min_size=1, max_size=15))),
        index=draw(st.integers(1, 0x7FFFFFFF)),
        kind=kind,
        mac=draw(macs),
        mtu=draw(st.integers(0, 0xFFFFFFFF)),
        up=draw(st.booleans()),
        carrier=draw(st.booleans()),
        broadcast=draw(st.booleans()),
        multicast=draw(st.booleans()),
        loopback=draw(st.booleans()),
        txqueuelen=draw(st.integers(0, 0xFFFFFFFF)),
        parent_index=draw(st.integers(0, 0x7FFFFFFF)),
        parent_elsewhere=draw(st.booleans()),
        master=draw(st.none() | links),
        vlan=draw(st.integers(0, 4095)) if kind is LinkKind.VLAN else None,
        bond_mode=draw(st.integers(0, 6)) if kind is LinkKind.BOND else None,
        active=draw(st.none() | links) if kind is LinkKind.BOND else None,
    )


@given(some_links())
def test_links(link: Link) -> None:
    details: Attributes = [
        ("IFLA_VLAN_ID", link.vlan),
        ("IFLA_BOND_MODE", link.bond_mode),
        ("IFLA_BOND_ACTIVE_SLAVE", INDICES[link.active] if link.active else None),
    ]
    data = [[name, value] for name, value in details if value is not None]
    info: list[Any] = [["IFLA_INFO_KIND", str(link.kind)]]
    if data:
        info.append(["IFLA_INFO_DATA", {"attrs": data}])
    body = written(
        ifinfmsg,
        {
            "index": link.index,
            "flags": uapi.IFF_UP * link.up
            | uapi.IFF_LOWER_UP * link.carrier
            | uapi.IFF_BROADCAST * link.broadcast
            | uapi.IFF_MULTICAST * link.multicast
            | uapi.IFF_LOOPBACK * link.loopback,
        },
        [
            ("IFLA_IFNAME", link.name),
            ("IFLA_ADDRESS", link.mac),
            ("IFLA_MTU", link.mtu),
            ("IFLA_TXQLEN", link.txqueuelen),
            ("IFLA_LINK", link.parent_index),
            ("IFLA_LINK_NETNSID", 0 if link.parent_elsewhere else None),
            ("IFLA_MASTER", INDICES[link.master] if link.master else None),
            ("IFLA_LINKINFO", {"attrs": info} if link.kind else None),
        ],
    )
    seen = decode.link(body, NAMES.get)
    assert (seen, seen.carrier, seen.active) == (link, link.carrier, link.active)
    assert decode.link_name(body) == (link.index, link.name)
