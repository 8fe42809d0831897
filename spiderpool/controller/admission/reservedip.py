"""Rules of SpiderReservedIPs."""

from __future__ import annotations

from spiderpool.controller.admission.findings import Cluster, Findings, Reason, Request
from spiderpool.controller.admission.ipnetwork import check_family
from spiderpool.controller.admission.updates import check_unchanged, is_judged
from spiderpool.ipam.ranges import Interval, Ranges, parse_item
from spiderpool.types.address import Family, family_of, to_int
from spiderpool.types.metadata import read
from spiderpool.types.reservedip import ReservedIPSpec, SpiderReservedIP


def check(request: Request, cluster: Cluster, found: Findings) -> None:
    """A SpiderReservedIP that is created or changed."""
    new = request.new
    if new is None or not is_judged(request.old, new, found):
        return
    check_unchanged(request.old, new, ("ipVersion",), found)
    reserved = found.attempt(read, SpiderReservedIP, new)
    if reserved is None:
        return
    family = _family(reserved.spec, found)
    if family is None:
        return
    check_family(family.number, cluster.families, found)
    intervals: list[Interval] = []
    for index, item in enumerate(reserved.spec.ips):
        interval = found.attempt(parse_item, item, family, f"spec.ips[{index}]")
        if interval is not None:
            intervals.append(interval)
    if not found.problems:
        _warn(Ranges.of(family, intervals), cluster, found)


def _family(spec: ReservedIPSpec, found: Findings) -> Family | None:
    """The family that all items must be of: ipVersion, else that of the first item."""
    if spec.ip_version is not None:
        return Family.V4 if spec.ip_version == Family.V4.number else Family.V6
    if not spec.ips:
        found.refuse("spec.ips", "is empty", "name addresses or ranges", Reason.REQUIRED)
        return None
    return family_of(spec.ips[0])


def _warn(ranges: Ranges, cluster: Cluster, found: Findings) -> None:
    """Addresses that pods hold are reserved only later."""
    for pool in cluster.pools:
        for entry in cluster.held(pool.name) if pool.family is ranges.family else ():
            if to_int(entry.address) in ranges:
                found.warn(
                    f"{entry.address} is in use by {entry.slot.pod}; "
                    "it is reserved after its release"
                )
