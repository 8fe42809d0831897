"""How Calico wires a pod, as operations for the node's and the pod's namespace. Pure.

Upstream behaviour (Calico v3, CNI plugin and Felix): the pod's ``eth0`` has a /32, its only
neighbour is the gateway 169.254.1.1, for which the node's end of the veth answers ARP as a
proxy; the node routes the /32 to that veth and takes only the pod's own addresses from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from harness.topology.compile import DEFAULT, mac_of, own_address
from spiderpool.netlink.objects import LinkKind, Route, Scope
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    ChangeLink,
    CreateLink,
    DeleteLink,
    Operation,
    Peer,
    SetSysctl,
)
from spiderpool.types.address import Address, Family, InterfaceAddress, family_of, host_prefix
from spiderpool.types.names import IfName

POD_NIC = IfName("eth0")
HOST_MAC = "ee:ee:ee:ee:ee:ee"
GATEWAYS = {
    Family.V4: Address("169.254.1.1"),
    Family.V6: Address("fe80::ecee:eeff:feee:eeee"),
}
"""For IPv6 it is the link-local address that follows from :data:`HOST_MAC` (RFC 4291)."""

_HOST_SETTINGS = (
    ("ipv4/conf/{link}/rp_filter", "1"),
    ("ipv4/conf/{link}/route_localnet", "1"),
    ("ipv4/conf/{link}/proxy_arp", "1"),
    ("ipv4/conf/{link}/forwarding", "1"),
    ("ipv6/conf/{link}/proxy_ndp", "1"),
    ("ipv6/conf/{link}/forwarding", "1"),
    ("ipv6/conf/{link}/accept_ra", "0"),
)


@dataclass(frozen=True, slots=True)
class Wire:
    """One pod's connection. ``index`` is that of the host's end, free in the node."""

    host_link: IfName
    index: int
    addresses: tuple[Address, ...]
    mac: str
    mtu: int


def host_link(namespace: str, pod: str) -> IfName:
    """Calico's name for the node's end: ``cali`` and 11 hex digits of a SHA-1."""
    digest = hashlib.sha1(f"{namespace}.{pod}".encode(), usedforsecurity=False).hexdigest()
    return IfName(f"cali{digest[:11]}")


def wire(namespace: str, pod: str, addresses: tuple[Address, ...], mtu: int, index: int) -> Wire:
    """The connection of a pod that has got ``addresses``."""
    mac = mac_of("pod", namespace, pod, *addresses)
    return Wire(host_link(namespace, pod), index, addresses, mac, mtu)


def on_host(wire: Wire, pod: int) -> Iterator[Operation]:
    """First, in the node; ``pod`` is a descriptor of the pod's namespace."""
    link = wire.host_link
    yield CreateLink(
        link,
        LinkKind.VETH,
        index=wire.index,
        mac=HOST_MAC,
        mtu=wire.mtu,
        up=True,
        peer=Peer(POD_NIC, namespace=pod, mac=wire.mac, mtu=wire.mtu),
    )
    for key, value in _HOST_SETTINGS:
        yield SetSysctl(key.format(link=link), value)
    for address in wire.addresses:
        yield AddRoute(Route(host_prefix(address), link=link, scope=_scope(address)))


def in_pod(wire: Wire) -> Iterator[Operation]:
    """Last, in the pod."""
    yield ChangeLink(POD_NIC, up=True)
    for address in wire.addresses:
        own = own_address(POD_NIC, InterfaceAddress(str(host_prefix(address))))
        gateway = GATEWAYS[family_of(address)]
        yield AddAddress(own)
        yield AddRoute(Route(host_prefix(gateway), link=POD_NIC, scope=_scope(gateway)))
        yield AddRoute(Route(DEFAULT[family_of(address)], gateway=gateway, link=POD_NIC))


def remove(wire: Wire) -> tuple[Operation, ...]:
    """In the node; the pod's end, routes and neighbours go with the link."""
    return (DeleteLink(wire.host_link),)


def _scope(address: str) -> Scope:
    """IPv6 routes have no scope."""
    return Scope.LINK if family_of(address) is Family.V4 else Scope.GLOBAL
