"""The kernel's UDP connections in a namespace: listed, and forgotten one by one.

Source: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from spiderpool.netlink import uapi
from spiderpool.netlink.channel import Channel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.wire import attribute, attributes, message
from spiderpool.types.address import Address, Family

_GET, _DELETE = ((1 << 8) | number for number in (1, 2))
"""Subsystem ctnetlink; messages IPCTNL_MSG_CT_GET and IPCTNL_MSG_CT_DELETE."""
_NFGENMSG = struct.Struct("=BBH")
_NESTED = 0x8000
_ORIGINAL, _REPLY = 1, 2
_TUPLE_IP, _TUPLE_PROTOCOL = 1, 2
_ADDRESSES = {Family.V4: (1, 2), Family.V6: (3, 4)}
_NUMBER, _SOURCE_PORT, _TARGET_PORT = 1, 2, 3
_PORT = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class Connection:
    """Whom a client asked, who answers it, and the kernel's own key of the entry."""

    target: Address
    target_port: int
    answerer: Address
    answerer_port: int
    key: bytes


def udp_connections(namespace: Namespace, family: Family) -> list[Connection]:
    """All that the kernel remembers at this moment.

    Raises:
        OperationFailed: it does not say.
    """
    request = message(_GET, uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP, _NFGENMSG.pack(family, 0, 0))
    channel = Channel(namespace, uapi.NETLINK_NETFILTER)
    try:
        found = (_connection(body, family) for body in channel.dump(request))
        return [connection for connection in found if connection is not None]
    finally:
        channel.close()


def forget(namespace: Namespace, family: Family, connections: Iterable[Connection]) -> None:
    """Their next packets are connections of their own; what is gone already is gone."""
    head = _NFGENMSG.pack(family, 0, 0)
    requests = [
        message(_DELETE, uapi.NLM_F_REQUEST, head + attribute(_ORIGINAL | _NESTED, one.key))
        for one in connections
    ]
    if requests:
        channel = Channel(namespace, uapi.NETLINK_NETFILTER)
        try:
            channel.batch(requests)
        finally:
            channel.close()


def _connection(body: bytes, family: Family) -> Connection | None:
    """None for what is not UDP."""
    entry = attributes(body, _NFGENMSG.size)
    asked, answered = attributes(entry[_ORIGINAL], 0), attributes(entry[_REPLY], 0)
    ports, reply_ports = (
        attributes(asked[_TUPLE_PROTOCOL], 0),
        attributes(answered[_TUPLE_PROTOCOL], 0),
    )
    if ports[_NUMBER][0] != socket.IPPROTO_UDP:
        return None
    source, target = _ADDRESSES[family]
    return Connection(
        _address(attributes(asked[_TUPLE_IP], 0)[target], family),
        _PORT.unpack(ports[_TARGET_PORT])[0],
        _address(attributes(answered[_TUPLE_IP], 0)[source], family),
        _PORT.unpack(reply_ports[_SOURCE_PORT])[0],
        entry[_ORIGINAL],
    )


def _address(raw: bytes, family: Family) -> Address:
    return Address(socket.inet_ntop(family, raw))
