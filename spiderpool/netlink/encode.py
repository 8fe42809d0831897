"""Operations -> rtnetlink messages. Pure; pyroute2 is the oracle in the tests.

Sequence numbers and ``NLM_F_ACK`` are left to the sender. What names a link by index takes
the index from the mapping ``indices``; what can name it by name does, and needs no entry.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from spiderpool.netlink import bonding, uapi
from spiderpool.netlink.objects import LinkAddress, LinkKind, Neighbour, NextHop, Route, Rule
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
    UnmarkReplies,
)
from spiderpool.netlink.wire import attribute, message, nested, text, u16, u32
from spiderpool.types.address import Family, length_of, packed
from spiderpool.types.names import IfName

IFINFOMSG = struct.Struct("=BxHiII")
IFADDRMSG = struct.Struct("=BBBBI")
RTMSG = struct.Struct("=BBBBBBBBI")
RTNEXTHOP = struct.Struct("=HBBi")
FIB_RULE_HDR = struct.Struct("=BBBBBBBBI")
NDMSG = struct.Struct("=BBHiHBB")

_ADD = uapi.NLM_F_REQUEST | uapi.NLM_F_CREATE | uapi.NLM_F_EXCL
_APPEND = uapi.NLM_F_REQUEST | uapi.NLM_F_CREATE | uapi.NLM_F_APPEND
_REPLACE = uapi.NLM_F_REQUEST | uapi.NLM_F_CREATE | uapi.NLM_F_REPLACE
_PLAIN = uapi.NLM_F_REQUEST


class UnknownLink(LookupError):
    """``indices`` has no entry for a link that an operation names; the kernel's ENODEV."""


def encode(operation: Operation, indices: Mapping[IfName, int]) -> bytes:
    """The message of one rtnetlink operation.

    Raises:
        UnknownLink: a link must be named by its index, and the index is not known.
        TypeError: the operation is no rtnetlink operation (sysctls, nftables).
    """
    match operation:
        case AddRoute(route):
            return message(uapi.RTM_NEWROUTE, _APPEND, _route(route, indices))
        case AddRule(rule):
            return message(uapi.RTM_NEWRULE, _ADD, _rule(rule))
        case AddAddress(address):
            return message(uapi.RTM_NEWADDR, _ADD, _address(address, indices))
        case SetNeighbour(neighbour):
            return message(uapi.RTM_NEWNEIGH, _REPLACE, _neighbour(neighbour, indices))
        case ChangeLink():
            return message(uapi.RTM_NEWLINK, _PLAIN, _changed_link(operation, indices))
        case CreateLink():
            return message(uapi.RTM_NEWLINK, _ADD, _created_link(operation, indices))
        case DeleteLink(name):
            body = IFINFOMSG.pack(0, 0, 0, 0, 0) + text(uapi.IFLA_IFNAME, name)
            return message(uapi.RTM_DELLINK, _PLAIN, body)
        case DeleteRoute(route):
            return message(uapi.RTM_DELROUTE, _PLAIN, _route(route, indices))
        case DeleteRule(rule):
            return message(uapi.RTM_DELRULE, _PLAIN, _rule(rule))
        case DeleteAddress(address):
            return message(uapi.RTM_DELADDR, _PLAIN, _address(address, indices))
        case DeleteNeighbour(neighbour):
            return message(uapi.RTM_DELNEIGH, _PLAIN, _neighbour(neighbour, indices))
        case SetSysctl() | MarkReplies() | UnmarkReplies():
            raise TypeError(f"{type(operation).__name__} is not done by rtnetlink")


def encode_rule_beside(rule: Rule) -> bytes:
    """Add a rule without asking whether there is one like it."""
    return message(uapi.RTM_NEWRULE, uapi.NLM_F_REQUEST | uapi.NLM_F_CREATE, _rule(rule))


def _index(name: IfName, indices: Mapping[IfName, int]) -> int:
    try:
        return indices[name]
    except KeyError:
        raise UnknownLink(name) from None


def _route(route: Route, indices: Mapping[IfName, int]) -> bytes:
    family = route.family
    length = length_of(route.destination)
    table = int(route.table)
    flags = uapi.RTNH_F_ONLINK if route.on_link else 0
    header = RTMSG.pack(
        *(family, length, 0, 0),
        *(table if table < 256 else 0, route.protocol, route.scope, route.type, flags),
    )
    parts = [header]
    if length:
        parts.append(attribute(uapi.RTA_DST, packed(route.destination)))
    if table >= 256:
        parts.append(u32(uapi.RTA_TABLE, table))
    if route.metric:
        parts.append(u32(uapi.RTA_PRIORITY, route.metric))
    if route.source is not None:
        parts.append(attribute(uapi.RTA_PREFSRC, packed(route.source)))
    if route.nexthops:
        legs = b"".join(_leg(leg, family, flags, indices) for leg in route.nexthops)
        parts.append(attribute(uapi.RTA_MULTIPATH, legs))
        return b"".join(parts)
    if route.gateway is not None:
        parts.append(_gateway(route.gateway, family))
    if route.link is not None:
        parts.append(u32(uapi.RTA_OIF, _index(route.link, indices)))
    return b"".join(parts)


def _gateway(gateway: str, family: Family) -> bytes:
    """``RTA_GATEWAY``, or ``RTA_VIA`` for an IPv6 next hop of an IPv4 route (RFC 5549)."""
    address = packed(gateway)
    if len(address) * 8 == family.bits:
        return attribute(uapi.RTA_GATEWAY, address)
    other = Family.V6 if family is Family.V4 else Family.V4
    return attribute(uapi.RTA_VIA, struct.pack("=H", other) + address)


def _leg(leg: NextHop, family: Family, flags: int, indices: Mapping[IfName, int]) -> bytes:
    gateway = _gateway(leg.gateway, family) if leg.gateway is not None else b""
    length = RTNEXTHOP.size + len(gateway)
    return RTNEXTHOP.pack(length, flags, leg.weight - 1, _index(leg.link, indices)) + gateway


def _rule(rule: Rule) -> bytes:
    table = int(rule.table)
    source_length = length_of(rule.source) if rule.source is not None else 0
    destination_length = length_of(rule.destination) if rule.destination is not None else 0
    header = FIB_RULE_HDR.pack(
        *(rule.family, destination_length, source_length, 0),
        *(table if table < 256 else 0, 0, 0, rule.action, 0),
    )
    parts = [header, u32(uapi.FRA_PRIORITY, rule.priority)]
    if table >= 256:
        parts.append(u32(uapi.FRA_TABLE, table))
    if source_length and rule.source is not None:
        parts.append(attribute(uapi.FRA_SRC, packed(rule.source)))
    if destination_length and rule.destination is not None:
        parts.append(attribute(uapi.FRA_DST, packed(rule.destination)))
    if rule.mark is not None:
        parts.append(u32(uapi.FRA_FWMARK, rule.mark))
    if rule.mask is not None:
        parts.append(u32(uapi.FRA_FWMASK, rule.mask))
    if rule.iif is not None:
        parts.append(text(uapi.FRA_IIFNAME, rule.iif))
    if rule.oif is not None:
        parts.append(text(uapi.FRA_OIFNAME, rule.oif))
    return b"".join(parts)


def _address(entry: LinkAddress, indices: Mapping[IfName, int]) -> bytes:
    flags = (uapi.IFA_F_NODAD if entry.no_dad else 0) | (
        uapi.IFA_F_NOPREFIXROUTE if entry.no_prefix_route else 0
    )
    raw, length = packed(entry.address), length_of(entry.address)
    index = _index(entry.link, indices)
    parts = [
        IFADDRMSG.pack(entry.family, length, flags & 0xFF, entry.scope, index),
        attribute(uapi.IFA_LOCAL, raw),
        attribute(uapi.IFA_ADDRESS, raw),
    ]
    if entry.broadcast is not None:
        parts.append(attribute(uapi.IFA_BROADCAST, packed(entry.broadcast)))
    if flags:
        parts.append(u32(uapi.IFA_FLAGS, flags))
    return b"".join(parts)


def _neighbour(entry: Neighbour, indices: Mapping[IfName, int]) -> bytes:
    state = uapi.NUD_PERMANENT if entry.permanent else uapi.NUD_REACHABLE
    flags = uapi.NTF_PROXY if entry.proxy else 0
    header = NDMSG.pack(entry.family, 0, 0, _index(entry.link, indices), state, flags, 0)
    parts = [header, attribute(uapi.NDA_DST, packed(entry.address))]
    if entry.mac:
        parts.append(attribute(uapi.NDA_LLADDR, mac_bytes(entry.mac)))
    return b"".join(parts)


def mac_bytes(mac: str) -> bytes:
    """``ee:ee:ee:ee:ee:ee`` -> 6 bytes."""
    return bytes.fromhex(mac.replace(":", ""))


def _changed_link(change: ChangeLink, indices: Mapping[IfName, int]) -> bytes:
    flags = uapi.IFF_UP if change.up else 0
    mask = 0 if change.up is None else uapi.IFF_UP
    parts = [IFINFOMSG.pack(0, 0, 0, flags, mask), text(uapi.IFLA_IFNAME, change.name)]
    parts += _common(change.mac, change.mtu, change.txqueuelen)
    if change.master is not None:
        parts.append(u32(uapi.IFLA_MASTER, _index(change.master, indices)))
    return b"".join(parts)


def _created_link(link: CreateLink, indices: Mapping[IfName, int]) -> bytes:
    flags = uapi.IFF_UP if link.up else 0
    parts = [
        IFINFOMSG.pack(0, 0, link.index or 0, flags, flags),
        text(uapi.IFLA_IFNAME, link.name),
        *_common(link.mac, link.mtu, link.txqueuelen),
    ]
    if link.master is not None:
        parts.append(u32(uapi.IFLA_MASTER, _index(link.master, indices)))
    if link.parent is not None:
        parts.append(u32(uapi.IFLA_LINK, _index(link.parent, indices)))
    if link.namespace is not None:
        parts.append(u32(uapi.IFLA_NET_NS_FD, link.namespace))
    kind = text(uapi.IFLA_INFO_KIND, link.kind)
    parts.append(nested(uapi.IFLA_LINKINFO, kind, _kind_data(link, indices)))
    return b"".join(parts)


def _common(mac: str | None, mtu: int | None, txqueuelen: int | None) -> list[bytes]:
    parts = []
    if mac is not None:
        parts.append(attribute(uapi.IFLA_ADDRESS, mac_bytes(mac)))
    if mtu is not None:
        parts.append(u32(uapi.IFLA_MTU, mtu))
    if txqueuelen is not None:
        parts.append(u32(uapi.IFLA_TXQLEN, txqueuelen))
    return parts


def _kind_data(link: CreateLink, indices: Mapping[IfName, int]) -> bytes:
    """``IFLA_INFO_DATA``: macvlans are made in bridge mode, as the CNI plugin does."""
    if link.kind is LinkKind.VETH and link.peer is not None:
        return nested(uapi.IFLA_INFO_DATA, attribute(uapi.VETH_INFO_PEER, _peer(link.peer)))
    if link.kind is LinkKind.MACVLAN:
        mode = u32(uapi.IFLA_MACVLAN_MODE, uapi.MACVLAN_MODE_BRIDGE)
        return nested(uapi.IFLA_INFO_DATA, mode)
    if link.kind is LinkKind.VLAN and link.vlan is not None:
        return nested(uapi.IFLA_INFO_DATA, u16(uapi.IFLA_VLAN_ID, link.vlan))
    if link.bond:
        settings = bonding.encoded(link.bond, lambda name: _index(name, indices))
        return nested(uapi.IFLA_INFO_DATA, settings)
    return b""


def _peer(peer: Peer) -> bytes:
    parts = [IFINFOMSG.pack(0, 0, peer.index or 0, 0, 0), text(uapi.IFLA_IFNAME, peer.name)]
    parts += _common(peer.mac, peer.mtu, None)
    if peer.namespace is not None:
        parts.append(u32(uapi.IFLA_NET_NS_FD, peer.namespace))
    return b"".join(parts)
