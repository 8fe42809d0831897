"""SpiderEndpoint: the addresses of one pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.address import Address, InterfaceAddress
from spiderpool.types.codec import Schema
from spiderpool.types.metadata import Column, Kind, Metadata
from spiderpool.types.names import IfName, NodeName, PodUID, PoolName


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRoute:
    """A route that a NIC got."""

    dst: str
    gw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointIP:
    """What one NIC of the pod holds."""

    interface: Annotated[IfName, Schema(doc="The NIC, as the pod sees it.")]
    ipv4: Annotated[InterfaceAddress, Schema(doc="IPv4 address with prefix length.")] | None = None
    ipv6: Annotated[InterfaceAddress, Schema(doc="IPv6 address with prefix length.")] | None = None
    ipv4_pool: Annotated[PoolName, Schema(doc="Pool of the IPv4 address.")] | None = None
    ipv6_pool: Annotated[PoolName, Schema(doc="Pool of the IPv6 address.")] | None = None
    ipv4_gateway: Annotated[Address, Schema(doc="IPv4 gateway.")] | None = None
    ipv6_gateway: Annotated[Address, Schema(doc="IPv6 gateway.")] | None = None
    vlan: Annotated[int, Schema(doc="VLAN of the NIC.", minimum=0, maximum=4094)] = 0
    clean_gateway: Annotated[bool, Schema(doc="No default route by this NIC.")] | None = None
    routes: Annotated[tuple[EndpointRoute, ...], Schema(doc="Routes of this NIC.")] = ()
    mac: Annotated[str, Schema(doc="MAC address of the NIC.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCurrent:
    """The allocation that is in force."""

    uid: Annotated[PodUID, Schema(doc="UID of the pod that owns the addresses.")]
    node: Annotated[NodeName, Schema(doc="Node that the pod runs on.")]
    ips: Annotated[tuple[EndpointIP, ...], Schema(doc="One item for each NIC.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """``status`` of a SpiderEndpoint."""

    current: Annotated[EndpointCurrent, Schema(doc="The allocation that is in force.")] | None = (
        None
    )
    owner_controller_type: Annotated[
        str, Schema(doc="Kind of the workload at the top, or Pod without one.")
    ]
    owner_controller_name: Annotated[str, Schema(doc="Name of that workload.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderEndpoint:
    """The addresses of the pod of the same name."""

    KIND: ClassVar = Kind(
        kind="SpiderEndpoint",
        plural="spiderendpoints",
        short="se",
        namespaced=True,
        columns=(
            Column("INTERFACE", ".status.current.ips[0].interface"),
            Column("IPV4POOL", ".status.current.ips[0].ipv4Pool"),
            Column("IPV4", ".status.current.ips[0].ipv4"),
            Column("IPV6POOL", ".status.current.ips[0].ipv6Pool"),
            Column("IPV6", ".status.current.ips[0].ipv6"),
            Column("NODE", ".status.current.node"),
        ),
    )

    metadata: Metadata
    status: EndpointStatus | None = None
