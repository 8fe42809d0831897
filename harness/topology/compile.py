"""A topology as operations for each namespace. Pure: descriptors go in as numbers.

Links are born in their final namespaces with indices and MACs that are known beforehand, so
the whole cluster is a handful of batches, and the same topology is the same bytes every time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.topology.model import UNDERLAY, Machine, Nic, Topology
from spiderpool.netlink.objects import LinkAddress, LinkKind, Route, RouteType
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    ChangeLink,
    CreateLink,
    Operation,
    Peer,
    SetSysctl,
)
from spiderpool.types.address import (
    Address,
    Family,
    InterfaceAddress,
    Prefix,
    address_of,
    contains,
    family_of,
    from_int,
    length_of,
    network_of,
    to_int,
)
from spiderpool.types.names import IfName

BIRD = 12
"""RTPROT_BIRD: the routes between nodes are Calico's routing daemon's."""

DEFAULT: Mapping[Family, Prefix] = {Family.V4: Prefix("0.0.0.0/0"), Family.V6: Prefix("::/0")}

_FIRST_INDEX = 32
"""``lo`` is 1, and tunnels' modules, once loaded, put a device of their own into every new
namespace (``tunl0`` of ipip, ``sit0``: ip-sysctl, fb_tunnels_only_for_init_net)."""

_SETTINGS = (
    ("ipv4/conf/all/arp_ignore", "0"),
    ("ipv4/conf/all/arp_announce", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
)
"""IPv4 settings of a new namespace are the machine's, whatever they are (``ip-sysctl``,
devconf_inherit_init_net): give them the kernel's defaults. Addresses here are unique, so the
second that duplicate address detection takes is saved."""


@dataclass(frozen=True, slots=True)
class Step:
    """Operations for one namespace; steps are carried out in order."""

    namespace: str
    operations: tuple[Operation, ...]


def compile_topology(topology: Topology, descriptors: Mapping[str, int]) -> tuple[Step, ...]:
    """What builds ``topology`` in fresh namespaces, held by ``descriptors``."""
    return (
        *(
            Step(m.name, settings(forwards=m.forwards, rp_filter=topology.rp_filter))
            for m in topology.machines
        ),
        Step(UNDERLAY, tuple(_switches(topology, descriptors))),
        *(Step(m.name, tuple(_configured(m, topology))) for m in topology.machines),
    )


def settings(*, forwards: bool, rp_filter: int = 0) -> tuple[Operation, ...]:
    """First of all in a namespace: what its links are born with."""
    forwarding = "1" if forwards else "0"
    return (
        *(SetSysctl(f"ipv4/conf/{each}/rp_filter", str(rp_filter)) for each in ("all", "default")),
        *(SetSysctl(key, value) for key, value in _SETTINGS),
        SetSysctl("ipv4/conf/all/forwarding", forwarding),
        SetSysctl("ipv6/conf/all/forwarding", forwarding),
        ChangeLink(IfName("lo"), up=True),
    )


def mac_of(*identity: str) -> str:
    """A locally administered unicast MAC, the same for the same identity."""
    octets = hashlib.sha256("/".join(identity).encode()).digest()[:5]
    return ":".join(f"{octet:02x}" for octet in (0x02, *octets))


def port_name(machine: Machine, nic: Nic) -> IfName:
    """The switch's end of a NIC: readable when it fits into a link's name."""
    name = machine.name if len(machine.wired) == 1 else f"{machine.name}-{nic.name}"
    if len(name) > 15 or name == "lo":
        name = f"{name[:8]}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    return IfName(name)


def _switches(topology: Topology, descriptors: Mapping[str, int]) -> Iterator[Operation]:
    yield SetSysctl("ipv6/conf/default/disable_ipv6", "1")
    index = _FIRST_INDEX
    for segment in topology.segments:
        yield CreateLink(segment, LinkKind.BRIDGE, index=index, up=True)
        index += 1
    for machine in topology.machines:
        for position, nic in enumerate(machine.wired):
            peer = Peer(
                nic.name,
                namespace=descriptors[machine.name],
                mac=mac_of(machine.name, nic.name),
                mtu=nic.mtu,
                index=_FIRST_INDEX + position,
            )
            yield CreateLink(
                port_name(machine, nic),
                LinkKind.VETH,
                index=index,
                mtu=nic.mtu,
                up=True,
                master=nic.segment,
                peer=peer,
            )
            index += 1


def _configured(machine: Machine, topology: Topology) -> Iterator[Operation]:
    for nic in machine.nics:
        if nic.parent is None:
            yield ChangeLink(nic.name, up=True)
        else:
            yield CreateLink(nic.name, LinkKind.VLAN, parent=nic.parent, vlan=nic.vlan, up=True)
        for address in nic.addresses:
            yield AddAddress(own_address(nic.name, address))
    for gateway in machine.gateways:
        yield AddRoute(
            Route(DEFAULT[family_of(gateway)], gateway=gateway, link=_nic_to(machine, gateway).name)
        )
    for way in machine.ways:
        link = _nic_to(machine, way.gateway).name
        yield AddRoute(Route(way.destination, gateway=way.gateway, link=link))
    if machine.blocks:
        yield from _pod_routes(machine, topology)


def _pod_routes(node: Machine, topology: Topology) -> Iterator[Operation]:
    """Where pods of other nodes are; what is in an own block but no pod goes nowhere."""
    for other in topology.nodes:
        for block in other.blocks:
            if other is node:
                yield AddRoute(Route(block, type=RouteType.BLACKHOLE, protocol=BIRD))
            elif gateway := other.address(family_of(block)):
                yield AddRoute(Route(block, gateway=gateway, link=node.nics[0].name, protocol=BIRD))


def _nic_to(machine: Machine, gateway: Address) -> Nic:
    return next(
        nic
        for nic in machine.nics
        for address in nic.addresses
        if contains(network_of(address), gateway)
    )


def own_address(link: IfName, address: InterfaceAddress) -> LinkAddress:
    """An address that is usable at once."""
    no_dad = family_of(address) is Family.V6
    return LinkAddress(link, address, broadcast=broadcast_of(address), no_dad=no_dad)


def broadcast_of(address: InterfaceAddress) -> Address | None:
    """The broadcast address as ``ip addr add ... brd +`` sets it; none for /31, /32 and IPv6."""
    family, length = family_of(address), length_of(address)
    if family is Family.V6 or length > 30:
        return None
    return from_int(to_int(address_of(address)) | (1 << 32 - length) - 1, family)
