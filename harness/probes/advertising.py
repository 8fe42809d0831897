"""Router advertisements (RFC 4861, section 4.2), sent from a router's NIC.

The source is the NIC's link-local address, as the RFC wants it; the kernel fills in the
checksum.
"""

from __future__ import annotations

import socket
import struct

from harness.probes.sockets import ProbeImpossible
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkAddress, Scope
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Family, Prefix, address_of, length_of, packed
from spiderpool.types.names import IfName

_ADVERTISEMENT = 134
_HOP_LIMIT = 255
"""What arrives with less has crossed a router, and hosts ignore it."""
_PREFERRED = 0x08
"""Router preference "high" (RFC 4191): hosts take it before any other default route."""
_ROUTER_SECONDS, _VALID_SECONDS, _PREFERRED_SECONDS = 1800, 7200, 3600
_SOURCE_MAC, _PREFIX = 1, 3
_ON_LINK_AND_AUTONOMOUS = 0xC0
_ALL_NODES = "ff02::1"
_ICMP6_FILTER, _NOTHING_IN = 1, b"\xff" * 32


def advertisement(mac: str, prefix: Prefix) -> bytes:
    """The ICMPv6 message of a router at ``mac``: here is your default route, ``prefix`` is on
    this link, and hosts may make addresses of it for themselves."""
    header = struct.pack(">BBHBBHII", _ADVERTISEMENT, 0, 0, 64, _PREFERRED, _ROUTER_SECONDS, 0, 0)
    source = struct.pack(">BB6s", _SOURCE_MAC, 1, bytes.fromhex(mac.replace(":", "")))
    information = struct.pack(
        ">BBBBIII16s",
        *(_PREFIX, 4, length_of(prefix), _ON_LINK_AND_AUTONOMOUS),
        *(_VALID_SECONDS, _PREFERRED_SECONDS, 0, packed(prefix)),
    )
    return header + source + information


def advertise(router: Namespace, nic: IfName, prefix: Prefix) -> None:
    """Send one advertisement to all hosts on the link of ``nic``.

    Raises:
        ProbeImpossible: there is no such NIC, or it cannot send.
    """
    state = dump(router, Selection((nic,), addresses_of=(nic,), tables=(), neighbours_of=()))
    link = state.link(nic)
    own = [entry.address for entry in state.addresses_of(nic, Family.V6) if _is_link_local(entry)]
    if link is None or not own:
        raise ProbeImpossible(f"{nic} has no link-local address to advertise a router from")
    source, message = address_of(own[0]), advertisement(link.mac, prefix)
    with router.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as opened:
        opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, _NOTHING_IN)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOP_LIMIT)
        try:
            opened.bind((source, 0, 0, link.index))
            opened.sendto(message, (_ALL_NODES, 0, 0, link.index))
        except OSError as error:
            raise ProbeImpossible(f"{nic} cannot advertise: {error.strerror}") from None


def _is_link_local(entry: LinkAddress) -> bool:
    return entry.scope is Scope.LINK
