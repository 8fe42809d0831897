"""The questions that are put to the kernel, as bytes.

Sockets have ``NETLINK_GET_STRICT_CHK`` on: the kernel filters by table and link itself.
"""

from __future__ import annotations

from spiderpool.netlink import uapi
from spiderpool.netlink.encode import FIB_RULE_HDR, IFADDRMSG, IFINFOMSG, NDMSG, RTMSG
from spiderpool.netlink.wire import attribute, message, text, u32
from spiderpool.types.address import Address, Family, family_of, packed

_DUMP = uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP
_NO_COUNTERS = u32(uapi.IFLA_EXT_MASK, uapi.RTEXT_FILTER_SKIP_STATS)


def link_named(name: str) -> bytes:
    """One link, without its counters."""
    body = IFINFOMSG.pack(0, 0, 0, 0, 0) + text(uapi.IFLA_IFNAME, name) + _NO_COUNTERS
    return message(uapi.RTM_GETLINK, uapi.NLM_F_REQUEST, body)


def link_numbered(index: int) -> bytes:
    """One link, without its counters."""
    body = IFINFOMSG.pack(0, 0, index, 0, 0) + _NO_COUNTERS
    return message(uapi.RTM_GETLINK, uapi.NLM_F_REQUEST, body)


def links() -> bytes:
    return message(uapi.RTM_GETLINK, _DUMP, IFINFOMSG.pack(0, 0, 0, 0, 0) + _NO_COUNTERS)


def addresses(family: Family, index: int = 0) -> bytes:
    """Addresses of one link, or of all for index 0."""
    return message(uapi.RTM_GETADDR, _DUMP, IFADDRMSG.pack(family, 0, 0, 0, index))


def routes(family: Family, table: int = 0) -> bytes:
    """Routes of one table, or of all for table 0."""
    body = RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)
    return message(uapi.RTM_GETROUTE, _DUMP, body + u32(uapi.RTA_TABLE, table) if table else body)


def deciding_route(address: Address) -> bytes:
    """The entry that a packet to ``address`` would take, by rules that hold for any packet."""
    family = family_of(address)
    flags = uapi.RTM_F_FIB_MATCH | (uapi.RTM_F_LOOKUP_TABLE if family is Family.V4 else 0)
    body = RTMSG.pack(family, family.bits, 0, 0, 0, 0, 0, 0, flags)
    body += attribute(uapi.RTA_DST, packed(address))
    return message(uapi.RTM_GETROUTE, uapi.NLM_F_REQUEST, body)


def rules(family: Family) -> bytes:
    return message(uapi.RTM_GETRULE, _DUMP, FIB_RULE_HDR.pack(family, 0, 0, 0, 0, 0, 0, 0, 0))


def neighbours(family: Family, index: int = 0, *, proxy: bool = False) -> bytes:
    """Neighbours of one link, or of all for index 0; proxy entries are apart."""
    flags = uapi.NTF_PROXY if proxy else 0
    body = NDMSG.pack(family, 0, 0, 0, 0, flags, 0)
    return message(uapi.RTM_GETNEIGH, _DUMP, body + u32(uapi.NDA_IFINDEX, index) if index else body)
