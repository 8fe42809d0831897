"""Bodies of rtnetlink messages -> links, addresses, routes, rules, neighbours. Pure.

``names`` gives the name of the link with an index. What refers to a link that has vanished between
two dumps is None: it has vanished too. Bytes that no kernel sends raise ValueError.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping

from spiderpool.netlink import uapi
from spiderpool.netlink.encode import (
    FIB_RULE_HDR,
    IFADDRMSG,
    IFINFOMSG,
    NDMSG,
    RTMSG,
    RTNEXTHOP,
)
from spiderpool.netlink.objects import (
    Link,
    LinkAddress,
    LinkKind,
    Neighbour,
    NextHop,
    Route,
    RouteType,
    Rule,
    Scope,
)
from spiderpool.netlink.wire import as_text, attributes, unpack
from spiderpool.types.address import Address, Family, InterfaceAddress, Prefix
from spiderpool.types.names import IfName, TableID

_FAMILIES: dict[int, Family] = {family.value: family for family in Family}
_SCOPES = {scope.value: scope for scope in Scope}
_ROUTE_TYPES = {kind.value: kind for kind in RouteType}
_KINDS = {kind.value: kind for kind in LinkKind}
_WITHOUT_LINK = (
    RouteType.BLACKHOLE,
    RouteType.UNREACHABLE,
    RouteType.PROHIBIT,
    RouteType.THROW,
)
_KNOWN_NEIGHBOUR = (
    uapi.NUD_PERMANENT | uapi.NUD_REACHABLE | uapi.NUD_STALE | uapi.NUD_DELAY | uapi.NUD_PROBE
)
_ALL_BITS = 0xFFFFFFFF

Names = Callable[[int], "str | None"]
"""For example the ``get`` of a dictionary."""


def _number(raw: bytes | None) -> int:
    return int.from_bytes(raw, sys.byteorder) if raw else 0


def _required(found: Mapping[int, bytes], kind: int) -> bytes:
    if kind not in found:
        raise ValueError(f"netlink attribute {kind} is missing")
    return found[kind]


def _name(names: Names, index: int) -> IfName | None:
    name = names(index) if index else None
    return IfName(name) if name is not None else None


def _address(raw: bytes) -> Address:
    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return Address(socket.inet_ntop(family, raw))


def _prefix(raw: bytes | None, length: int, family: Family) -> Prefix:
    """Absent attributes mean the default route."""
    if raw is None:
        return Prefix("0.0.0.0/0" if family is Family.V4 else "::/0")
    return Prefix(f"{_address(raw)}/{length}")


def link_name(body: bytes) -> tuple[int, str]:
    """Index and name of a link's message."""
    index = unpack(IFINFOMSG, body)[2]
    found = attributes(body, IFINFOMSG.size, until=uapi.IFLA_IFNAME)
    return index, as_text(_required(found, uapi.IFLA_IFNAME))


def link(body: bytes, names: Names) -> Link:
    """A link; its ``kind`` is None when it has none or one that :class:`LinkKind` lacks."""
    _, _, index, flags, _ = unpack(IFINFOMSG, body)
    found = attributes(body, IFINFOMSG.size)
    info = attributes(found.get(uapi.IFLA_LINKINFO, b""), 0)
    kind = as_text(info.get(uapi.IFLA_INFO_KIND, b""))
    return Link(
        name=IfName(as_text(_required(found, uapi.IFLA_IFNAME))),
        index=index,
        kind=_KINDS.get(kind),
        mac=found.get(uapi.IFLA_ADDRESS, b"").hex(":"),
        mtu=_number(found.get(uapi.IFLA_MTU)),
        up=bool(flags & uapi.IFF_UP),
        carrier=bool(flags & uapi.IFF_LOWER_UP),
        broadcast=bool(flags & uapi.IFF_BROADCAST),
        multicast=bool(flags & uapi.IFF_MULTICAST),
        loopback=bool(flags & uapi.IFF_LOOPBACK),
        txqueuelen=_number(found.get(uapi.IFLA_TXQLEN)),
        parent_index=_number(found.get(uapi.IFLA_LINK)),
        parent_elsewhere=uapi.IFLA_LINK_NETNSID in found,
        master=_name(names, _number(found.get(uapi.IFLA_MASTER))),
        vlan=_detail(info, LinkKind.VLAN, uapi.IFLA_VLAN_ID),
        bond_mode=_detail(info, LinkKind.BOND, uapi.IFLA_BOND_MODE),
        active=_name(names, _detail(info, LinkKind.BOND, uapi.IFLA_BOND_ACTIVE_SLAVE) or 0),
    )


def _detail(info: Mapping[int, bytes], kind: LinkKind, number: int) -> int | None:
    """A number that only links of ``kind`` have."""
    if as_text(info.get(uapi.IFLA_INFO_KIND, b"")) != kind or uapi.IFLA_INFO_DATA not in info:
        return None
    return _number(attributes(info[uapi.IFLA_INFO_DATA], 0).get(number))


def address_scope(body: bytes) -> int:
    """The scope in an address's message."""
    return int(unpack(IFADDRMSG, body)[3])


def address(body: bytes, names: Names) -> LinkAddress | None:
    number, length, flags, scope, index = unpack(IFADDRMSG, body)
    name, family = _name(names, index), _FAMILIES.get(number)
    if name is None or family is None:
        return None
    found = attributes(body, IFADDRMSG.size)
    raw = found.get(uapi.IFA_LOCAL) or _required(found, uapi.IFA_ADDRESS)
    flags = _number(found.get(uapi.IFA_FLAGS)) or flags
    broadcast = found.get(uapi.IFA_BROADCAST)
    return LinkAddress(
        link=name,
        address=InterfaceAddress(f"{_address(raw)}/{length}"),
        scope=_SCOPES.get(scope, Scope.GLOBAL),
        broadcast=_address(broadcast) if broadcast else None,
        no_dad=bool(flags & uapi.IFA_F_NODAD),
        no_prefix_route=bool(flags & uapi.IFA_F_NOPREFIXROUTE),
        secondary=family is Family.V4 and bool(flags & uapi.IFA_F_SECONDARY),
        learned=family is Family.V6 and _is_learned(flags),
    )


def _is_learned(flags: int) -> bool:
    """Addresses by SLAAC, and temporary ones derived from those (net/ipv6/addrconf.c); they
    have a lifetime, even if it is for ever."""
    marked = flags & (uapi.IFA_F_MANAGETEMPADDR | uapi.IFA_F_TEMPORARY)
    return bool(marked) and not flags & uapi.IFA_F_PERMANENT


def table_byte(body: bytes) -> int:
    """The table of a route when it is below 256: all that is needed to pass it over."""
    return unpack(RTMSG, body)[4]


def route(body: bytes, names: Names) -> Route | None:
    """An entry of a table; None also for a cached one."""
    flags = unpack(RTMSG, body)[8]
    return None if flags & uapi.RTM_F_CLONED else decision(body, names)


def decision(body: bytes, names: Names) -> Route | None:
    """What a lookup decided, which IPv4 calls a cached route."""
    number, length, _, _, table, protocol, scope, kind, flags = unpack(RTMSG, body)
    family, route_type = _FAMILIES.get(number), _ROUTE_TYPES.get(kind)
    if family is None or route_type is None:
        return None
    found = attributes(body, RTMSG.size)
    name = _name(names, _number(found.get(uapi.RTA_OIF)))
    nexthops = _nexthops(found.get(uapi.RTA_MULTIPATH, b""), names)
    rejects = route_type in _WITHOUT_LINK
    if name is None and not nexthops and not rejects:
        return None
    source = found.get(uapi.RTA_PREFSRC)
    return Route(
        destination=_prefix(found.get(uapi.RTA_DST), length, family),
        link=None if rejects else name,
        gateway=_gateway(found),
        table=TableID(_number(found.get(uapi.RTA_TABLE)) or table),
        scope=_SCOPES.get(scope, Scope.GLOBAL),
        source=_address(source) if source else None,
        metric=_number(found.get(uapi.RTA_PRIORITY)),
        protocol=protocol,
        type=route_type,
        on_link=bool(flags & uapi.RTNH_F_ONLINK),
        nexthops=nexthops,
    )


def _gateway(found: Mapping[int, bytes]) -> Address | None:
    if uapi.RTA_GATEWAY in found:
        return _address(found[uapi.RTA_GATEWAY])
    if uapi.RTA_VIA in found:
        return _address(found[uapi.RTA_VIA][2:])
    return None


def _nexthops(raw: bytes, names: Names) -> tuple[NextHop, ...]:
    legs, offset = [], 0
    while offset + RTNEXTHOP.size <= len(raw):
        length, _, weight, index = RTNEXTHOP.unpack_from(raw, offset)
        if length < RTNEXTHOP.size or offset + length > len(raw):
            raise ValueError(f"next hop of {length} bytes in {len(raw) - offset} received")
        found = attributes(raw[offset : offset + length], RTNEXTHOP.size)
        name = _name(names, index)
        if name is not None:
            legs.append(NextHop(name, _gateway(found), weight + 1))
        offset += (length + 3) & ~3
    return tuple(legs)


def rule(body: bytes) -> Rule | None:
    header = unpack(FIB_RULE_HDR, body)
    number, destination_length, source_length, _, table, _, _, action, _ = header
    family = _FAMILIES.get(number)
    if family is None:
        return None
    found = attributes(body, FIB_RULE_HDR.size)
    mark, mask = found.get(uapi.FRA_FWMARK), _number(found.get(uapi.FRA_FWMASK))
    return Rule(
        priority=_number(found.get(uapi.FRA_PRIORITY)),
        table=TableID(_number(found.get(uapi.FRA_TABLE)) or table),
        family=family,
        source=_optional_prefix(found.get(uapi.FRA_SRC), source_length, family),
        destination=_optional_prefix(found.get(uapi.FRA_DST), destination_length, family),
        mark=_number(mark) if mark is not None else None,
        mask=mask if mask not in (0, _ALL_BITS) else None,
        iif=_text(found.get(uapi.FRA_IIFNAME)),
        oif=_text(found.get(uapi.FRA_OIFNAME)),
        action=action,
    )


def _optional_prefix(raw: bytes | None, length: int, family: Family) -> Prefix | None:
    return _prefix(raw, length, family) if raw is not None else None


def _text(raw: bytes | None) -> IfName | None:
    return IfName(as_text(raw)) if raw is not None else None


def neighbour(body: bytes, names: Names) -> Neighbour | None:
    """An entry that says something: permanent, proxy, or with a MAC that was learnt."""
    number, _, _, index, state, flags, _ = unpack(NDMSG, body)
    name, proxy = _name(names, index), bool(flags & uapi.NTF_PROXY)
    if name is None or number not in _FAMILIES or not (proxy or state & _KNOWN_NEIGHBOUR):
        return None
    found = attributes(body, NDMSG.size)
    return Neighbour(
        link=name,
        address=_address(_required(found, uapi.NDA_DST)),
        mac=found.get(uapi.NDA_LLADDR, b"").hex(":"),
        permanent=proxy or bool(state & uapi.NUD_PERMANENT),
        proxy=proxy,
    )
