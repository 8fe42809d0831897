"""A pool as allocation sees it: its rules, and the addresses that it may ever give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.ipam.ranges import Interval, Ranges, parse, parse_item, whole
from spiderpool.types.address import Address, Family, Prefix, family_of, length_of, to_int
from spiderpool.types.ippool import IPPoolSpec, SpiderIPPool
from spiderpool.types.metadata import read
from spiderpool.types.names import PoolName
from spiderpool.types.reservedip import SpiderReservedIP

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A SpiderIPPool that was read whole; ``listed`` is ``ips`` without ``excludeIPs``."""

    name: PoolName
    family: Family
    listed: Ranges
    spec: IPPoolSpec
    labels: Mapping[str, str]
    terminating: bool

    @property
    def subnet(self) -> Prefix:
        return self.spec.subnet


def read_pool(obj: Object) -> Pool:
    """A pool from its API object.

    Raises:
        BadInput: naming pool and field.
    """
    pool = read(SpiderIPPool, obj)
    where, family = SpiderIPPool.KIND.where(obj), family_of(pool.spec.subnet)
    ips = parse(pool.spec.ips, family, f"{where}: spec.ips")
    excluded = parse(pool.spec.exclude_ips, family, f"{where}: spec.excludeIPs")
    return Pool(
        name=PoolName(pool.metadata.name),
        family=family,
        listed=ips - excluded,
        spec=pool.spec,
        labels=pool.metadata.labels,
        terminating=bool(pool.metadata.deletion_timestamp),
    )


def read_reserved(objects: Iterable[Object]) -> Mapping[Family, Ranges]:
    """All SpiderReservedIP objects together, by family. A range that runs backwards reserves
    what lies between its ends: it must not stop every pod of the cluster.

    Raises:
        BadInput: naming object and item.
    """
    found: dict[Family, list[Interval]] = {family: [] for family in Family}
    for obj in objects:
        where = f"{SpiderReservedIP.KIND.where(obj)}: spec.ips"
        for index, item in enumerate(read(SpiderReservedIP, obj).spec.ips):
            family = family_of(item)
            ends = (parse_item(end, family, f"{where}[{index}]") for end in item.split("-"))
            values = [value for interval in ends for value in interval]
            found[family].append((min(values), max(values)))
    return {family: Ranges.of(family, intervals) for family, intervals in found.items()}


def grounds(pool: Pool, reserved: Ranges, nodes: Iterable[Address]) -> Ranges:
    """The addresses that ``pool`` may give: never one that is reserved, a node's own, the
    gateway, or that names the subnet itself (network, broadcast, Subnet-Router anycast).
    """
    own = [point(node) for node in nodes if family_of(node) is pool.family]
    if pool.spec.gateway:
        own.append(point(pool.spec.gateway))
    own += special(pool.subnet)
    return (pool.listed & Ranges.of(pool.family, [whole(pool.subnet)])) - (
        reserved | Ranges.of(pool.family, own)
    )


def point(address: str) -> Interval:
    value = to_int(address)
    return value, value


def special(subnet: Prefix) -> list[Interval]:
    """Addresses of a subnet that no host may have: IPv4 network and broadcast address
    (RFC 1122 3.2.1.3; not on /31, RFC 3021), IPv6 Subnet-Router anycast (RFC 4291 2.6.1;
    not on /127, RFC 6164)."""
    first, last = whole(subnet)
    spare = family_of(subnet).bits - length_of(subnet)
    if spare < 2:
        return []
    edges = [(first, first)]
    return [*edges, (last, last)] if family_of(subnet) is Family.V4 else edges
