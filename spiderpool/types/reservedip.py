"""SpiderReservedIP: addresses that no pool hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from spiderpool.types.codec import Rule, Schema
from spiderpool.types.ippool import IpVersion, Ranges
from spiderpool.types.metadata import Column, Kind, Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedIPSpec:
    """``spec`` of a SpiderReservedIP."""

    RULES: ClassVar = (
        Rule(
            "!has(self.ips) || self.ips.all(r, r.contains(':') == self.ips[0].contains(':'))",
            "all items must be of one family",
            "ips",
        ),
        Rule(
            "!has(self.ips) || !has(self.ipVersion)"
            " || self.ips.all(r, r.contains(':') == (self.ipVersion == 6))",
            "an item is not of the family of ipVersion",
            "ips",
        ),
    )

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
