"""Short words for operations and objects, so that a test's plan reads as a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, Unpack

from spiderpool.netlink.objects import LinkAddress, LinkKind, Neighbour, NextHop, Route, Scope
from spiderpool.netlink.objects import RouteType as Type
from spiderpool.netlink.operations import ChangeLink, CreateLink, Peer
from spiderpool.types.address import Address, InterfaceAddress, Prefix
from spiderpool.types.names import IfName, TableID


class RouteOptions(TypedDict, total=False):
    """Fields of :class:`Route` that need no conversion."""

    table: TableID
    metric: int
    protocol: int
    type: Type
    on_link: bool
    nexthops: tuple[NextHop, ...]


class AddressOptions(TypedDict, total=False):
    no_prefix_route: bool
    secondary: bool
    learned: bool


def pair(first: str, second: str, index: int) -> CreateLink:
    """A veth pair with indices ``index`` and ``index + 1`` and known MACs; ``first`` is up."""
    peer = Peer(IfName(second), mac=known_mac(index + 1), index=index + 1)
    return CreateLink(
        IfName(first), LinkKind.VETH, index=index, mac=known_mac(index), up=True, peer=peer
    )


def known_mac(number: int) -> str:
    """A locally administered MAC that ends with ``number``."""
    return (b"\x02\x00\x00\x00\x00" + bytes([number])).hex(":")


def up(link: str) -> ChangeLink:
    return ChangeLink(IfName(link), up=True)


def down(link: str) -> ChangeLink:
    return ChangeLink(IfName(link), up=False)


def address(link: str, text: str, **more: Unpack[AddressOptions]) -> LinkAddress:
    """An address; IPv6 ones are usable at once, without duplicate address detection."""
    return LinkAddress(IfName(link), InterfaceAddress(text), no_dad=":" in text, **more)


def route(
    destination: str,
    link: str | None = None,
    via: str | None = None,
    src: str | None = None,
    **more: Unpack[RouteOptions],
) -> Route:
    """A route of global scope."""
    return Route(
        Prefix(destination),
        IfName(link) if link else None,
        Address(via) if via else None,
        source=Address(src) if src else None,
        **more,
    )


def direct(
    destination: str, link: str, src: str | None = None, **more: Unpack[RouteOptions]
) -> Route:
    """A route of link scope, to neighbours."""
    return replace(route(destination, link, src=src, **more), scope=Scope.LINK)


def leg(link: str, via: str, weight: int = 1) -> NextHop:
    return NextHop(IfName(link), Address(via), weight)


def neighbour(
    link: str, text: str, mac: str = "02:00:00:00:00:99", *, proxy: bool = False
) -> Neighbour:
    return Neighbour(IfName(link), Address(text), mac, proxy=proxy)
