"""SpiderSubnet: a network that pools are carved out of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.codec import Schema
from spiderpool.types.ippool import (
    SUBNET_RULES,
    Count,
    Gateway,
    IpVersion,
    Ranges,
    Routes,
    Subnet,
)
from spiderpool.types.metadata import Column, Kind, Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetSpec:
    """``spec`` of a SpiderSubnet."""

    RULES: ClassVar = SUBNET_RULES

    ip_version: IpVersion | None = None
    subnet: Subnet
    ips: Ranges = ()
    exclude_ips: Ranges = ()
    gateway: Gateway | None = None
    routes: Routes = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetStatus:
    """``status`` of a SpiderSubnet."""

    controlled_ip_pools: (
        Annotated[
            str,
            Schema(doc="JSON: pool name -> the ranges that it holds.", name="controlledIPPools"),
        ]
        | None
    ) = None
    total_ip_count: Annotated[Count, Schema(doc="Addresses of the subnet.")] | None = None
    allocated_ip_count: Annotated[Count, Schema(doc="Addresses handed to pools.")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderSubnet:
    """Addresses that pools are made from by hand, or by workload annotations."""

    KIND: ClassVar = Kind(
        kind="SpiderSubnet",
        plural="spidersubnets",
        short="ss",
        status_subresource=True,
        columns=(
            Column("VERSION", ".spec.ipVersion"),
            Column("SUBNET", ".spec.subnet"),
            Column("ALLOCATED-IP-COUNT", ".status.allocatedIPCount", "integer"),
            Column("TOTAL-IP-COUNT", ".status.totalIPCount", "integer"),
        ),
    )

    metadata: Metadata
    spec: SubnetSpec
    status: SubnetStatus = SubnetStatus()
