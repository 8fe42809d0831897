"""SpiderReservedIP: addresses that no pool hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.codec import Schema
from spiderpool.types.ippool import IpVersion, Ranges
from spiderpool.types.metadata import Column, Kind, Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedIPSpec:
    """``spec`` of a SpiderReservedIP."""

    ip_version: IpVersion | None = None
    ips: Annotated[Ranges, Schema(doc="Addresses or ranges, all of one family.")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiderReservedIP:
    """Addresses that must stay free, whatever pool they lie in."""

    KIND: ClassVar = Kind(
        kind="SpiderReservedIP",
        plural="spiderreservedips",
        short="sr",
        columns=(Column("VERSION", ".spec.ipVersion"),),
    )

    metadata: Metadata
    spec: ReservedIPSpec
