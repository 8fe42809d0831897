"""A cluster's machines and wires, as plain data.

::

    segment      one broadcast domain: a bridge in the namespace ``underlay``
    nic          a veth into a segment, with addresses; or a VLAN upon such a one
    machine      a namespace with NICs: a router when it forwards, a node when it has pod blocks
"""

from __future__ import annotations

from dataclasses import dataclass

from spiderpool.types.address import (
    Address,
    Family,
    InterfaceAddress,
    Prefix,
    address_of,
    family_of,
)
from spiderpool.types.names import IfName

UNDERLAY = "underlay"
"""The namespace of the switches. Nothing has an address there."""


@dataclass(frozen=True, slots=True)
class Nic:
    """``vlan``: its number, of a VLAN upon the NIC ``parent`` of the same machine."""

    name: IfName
    segment: IfName
    addresses: tuple[InterfaceAddress, ...]
    mtu: int = 1500
    vlan: int | None = None
    parent: IfName | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A static route."""

    destination: Prefix
    gateway: Address


@dataclass(frozen=True, slots=True)
class Machine:
    """``gateways`` has at most one address a family; ``blocks`` are Calico's, of a node."""

    name: str
    nics: tuple[Nic, ...]
    gateways: tuple[Address, ...] = ()
    forwards: bool = False
    blocks: tuple[Prefix, ...] = ()
    ways: tuple[Way, ...] = ()

    @property
    def wired(self) -> tuple[Nic, ...]:
        """Those with a wire of their own."""
        return tuple(nic for nic in self.nics if nic.parent is None)

    def address(self, family: Family) -> Address | None:
        """The machine's own address: the first of that family on its first NIC."""
        return next((address_of(a) for a in self.nics[0].addresses if family_of(a) is family), None)


@dataclass(frozen=True, slots=True)
class Topology:
    """``pod_mtu`` is what Calico gives ``eth0``; ``rp_filter`` is what links are born with."""

    segments: tuple[IfName, ...]
    nodes: tuple[Machine, ...]
    hosts: tuple[Machine, ...]
    pod_cidrs: tuple[Prefix, ...]
    service_cidrs: tuple[Prefix, ...]
    pod_mtu: int = 1500
    rp_filter: int = 0

    @property
    def machines(self) -> tuple[Machine, ...]:
        return self.nodes + self.hosts

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All namespaces that exist before any pod does."""
        return (UNDERLAY, *(machine.name for machine in self.machines))
