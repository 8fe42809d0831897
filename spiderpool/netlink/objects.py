"""What a network namespace holds, as plain data: links, addresses, routes, rules, neighbours.

The same objects are dumped from a kernel, planned, compared and printed. Names stand for
links, never indices, so that states of different namespaces compare.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from spiderpool.types.address import Address, Family, InterfaceAddress, Prefix, family_of
from spiderpool.types.names import MAIN, IfName, TableID


class LinkKind(enum.StrEnum):
    """``IFLA_INFO_KIND``; physical NICs have none."""

    VETH = "veth"
    BRIDGE = "bridge"
    MACVLAN = "macvlan"
    IPVLAN = "ipvlan"
    VLAN = "vlan"
    BOND = "bond"
    VXLAN = "vxlan"
    DUMMY = "dummy"
    IPIP = "ipip"
    VRF = "vrf"


class Scope(enum.IntEnum):
    """``rtm_scope`` and ``ifa_scope`` (linux/rtnetlink.h)."""

    GLOBAL = 0
    SITE = 200
    LINK = 253
    HOST = 254
    NOWHERE = 255


class RouteType(enum.IntEnum):
    """``rtm_type`` (linux/rtnetlink.h)."""

    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    ANYCAST = 4
    MULTICAST = 5
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8
    THROW = 9


class Protocol(enum.IntEnum):
    """``rtm_protocol``: who made a route; others appear as plain numbers in dumps."""

    UNSPEC = 0
    REDIRECT = 1
    KERNEL = 2
    BOOT = 3
    STATIC = 4
    RA = 9


@dataclass(frozen=True, slots=True)
class Link:
    """A link as dumped. ``parent`` and ``parent_index`` come from ``IFLA_LINK``."""

    name: IfName
    index: int
    kind: LinkKind | None = None
    mac: str = ""
    mtu: int = 1500
    up: bool = False
    broadcast: bool = True
    multicast: bool = True
    loopback: bool = False
    txqueuelen: int = 1000
    parent_index: int = 0
    parent_elsewhere: bool = False
    """True when ``parent_index`` belongs to another namespace (``IFLA_LINK_NETNSID`` is set)."""
    master: IfName | None = None
    vlan: int | None = None
    bond_mode: int | None = None
    active: IfName | None = field(default=None, compare=False)
    """The member that a bond sends by, in modes in which it is one."""
    carrier: bool = field(default=True, compare=False)
    """Whether the wire is there. As ``active``, it is nothing that a link is set to, and comes and
    goes by itself: links that differ in these alone are equal."""


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """An address on a link; ``learned``: the kernel made it of what a router advertised."""

    link: IfName
    address: InterfaceAddress
    scope: Scope = Scope.GLOBAL
    broadcast: Address | None = None
    no_dad: bool = False
    no_prefix_route: bool = False
    secondary: bool = False
    learned: bool = False

    @property
    def family(self) -> Family:
        return family_of(self.address)


@dataclass(frozen=True, slots=True)
class NextHop:
    """One leg of a multipath route."""

    link: IfName
    gateway: Address | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Route:
    """A route. The default route has destination ``0.0.0.0/0`` or ``::/0``.

    ``metric`` 0 means "none given"; for IPv6 the kernel then stores 1024.
    """

    destination: Prefix
    link: IfName | None = None
    gateway: Address | None = None
    table: TableID = MAIN
    scope: Scope = Scope.GLOBAL
    source: Address | None = None
    metric: int = 0
    protocol: int = Protocol.BOOT
    type: RouteType = RouteType.UNICAST
    on_link: bool = False
    nexthops: tuple[NextHop, ...] = ()

    @property
    def family(self) -> Family:
        return family_of(self.destination)

    @property
    def is_default(self) -> bool:
        return self.destination in ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy rule: ``priority: from source to destination fwmark mark/mask lookup table``."""

    priority: int
    table: TableID
    family: Family = Family.V4
    source: Prefix | None = None
    destination: Prefix | None = None
    mark: int | None = None
    mask: int | None = None
    iif: IfName | None = None
    oif: IfName | None = None
    action: int = 1
    """``FR_ACT_TO_TBL``; dumps may show others."""

    @property
    def as_dumped(self) -> Rule:
        """Without prefixes and masks that say nothing, as the kernel shows it."""
        return replace(
            self,
            source=None if self.source in ("0.0.0.0/0", "::/0") else self.source,
            destination=None if self.destination in ("0.0.0.0/0", "::/0") else self.destination,
            mask=None if self.mask in (0, 0xFFFFFFFF) else self.mask,
        )


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An ARP or NDP entry; ``proxy`` entries answer for the address and have no MAC."""

    link: IfName
    address: Address
    mac: str = ""
    permanent: bool = True
    proxy: bool = False

    @property
    def family(self) -> Family:
        return family_of(self.address)


@dataclass(frozen=True, slots=True)
class NetState:
    """What one namespace holds, as far as the dump was asked for.

    ``reply_marks`` are the links for which ``MarkReplies`` is in force; ``sysctls`` maps a path
    below ``/proc/sys/net`` (``ipv4/conf/all/rp_filter``) to its text.
    """

    links: tuple[Link, ...] = ()
    addresses: tuple[LinkAddress, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    reply_marks: tuple[IfName, ...] = ()

    def link(self, name: str) -> Link | None:
        """The link of that name, if there is one."""
        return next((link for link in self.links if link.name == name), None)

    def addresses_of(self, name: str, family: Family | None = None) -> tuple[LinkAddress, ...]:
        """The addresses of a link in the kernel's order, of one family or of both."""
        return tuple(
            entry
            for entry in self.addresses
            if entry.link == name and (family is None or entry.family is family)
        )
