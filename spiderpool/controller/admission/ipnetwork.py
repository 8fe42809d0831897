"""Rules that pools and subnets share: a network, ranges in it, a gateway, routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spiderpool.controller.admission.findings import Findings, Object, Reason
from spiderpool.ipam.ranges import Ranges, parse_item, whole
from spiderpool.types.address import (
    Address,
    Family,
    Prefix,
    contains,
    family_of,
    from_int,
    network_of,
    parse_address,
    parse_interface_address,
    parse_prefix,
    to_int,
)
from spiderpool.types.ippool import IPPoolSpec
from spiderpool.types.metadata import Route
from spiderpool.types.subnet import SubnetSpec


@dataclass(frozen=True, slots=True)
class Network:
    """A subnet with the ranges of ``spec.ips`` and ``spec.excludeIPs``."""

    subnet: Prefix
    ips: Ranges
    excluded: Ranges

    @property
    def family(self) -> Family:
        return family_of(self.subnet)

    @property
    def total(self) -> Ranges:
        """What can be handed out."""
        return self.ips - self.excluded


def check_subnet(spec: Object, families: frozenset[int], found: Findings) -> None:
    """``spec.subnet`` and ``spec.ipVersion`` as they were written."""
    text, version = spec.get("subnet"), spec.get("ipVersion")
    if not isinstance(text, str) or "/" not in text:
        found.refuse("spec.subnet", f"{text!r} is not a CIDR", "write it like 10.6.0.0/16")
        return
    interface = found.attempt(parse_interface_address, text, "spec.subnet")
    if interface is None:
        return
    subnet = network_of(interface)
    if str(subnet) != text:
        problem = f"unformatted subnet {text}, please change it to {subnet}"
        found.refuse("spec.subnet", problem, "a subnet has no host bits")
    number = family_of(subnet).number
    if version not in (None, number):
        problem = f"{version} does not match subnet {subnet}"
        found.refuse("spec.ipVersion", problem, f"write {number}, or leave it out")
    check_family(number, families, found)


def check_family(number: int, families: frozenset[int], found: Findings) -> None:
    """The cluster must use the family."""
    if number not in families:
        remedy = f"set ipam.enableIPv{number}=true in the chart"
        found.refuse("spec.ipVersion", f"IPv{number} is disabled", remedy, Reason.FORBIDDEN)


def check_ranges(items: Sequence[str], subnet: Prefix, field: str, found: Findings) -> Ranges:
    """``spec.ips`` or ``spec.excludeIPs``; what cannot be used is left out of the answer."""
    family, intervals = family_of(subnet), []
    first, last = whole(subnet)
    for index, item in enumerate(items):
        where = f"{field}[{index}]"
        interval = found.attempt(parse_item, item, family, where)
        if interval is None:
            continue
        if interval[0] < first or interval[1] > last:
            ends = "-".join(from_int(end, family) for end in (first, last))
            found.refuse(where, f"{item} is outside spec.subnet {subnet}", f"use {ends}")
            continue
        intervals.append(interval)
    return Ranges.of(family, intervals)


def check_network(spec: IPPoolSpec | SubnetSpec, found: Findings) -> Network:
    """Everything that a spec with a good subnet must fulfil by itself."""
    ips = check_ranges(spec.ips, spec.subnet, "spec.ips", found)
    excluded = check_ranges(spec.exclude_ips, spec.subnet, "spec.excludeIPs", found)
    check_gateway(spec, ips, excluded, found)
    check_routes(spec.routes, spec.subnet, found)
    return Network(spec.subnet, ips, excluded)


def check_gateway(
    spec: IPPoolSpec | SubnetSpec, ips: Ranges, excluded: Ranges, found: Findings
) -> None:
    """In the subnet, and never handed out."""
    gateway = spec.gateway
    if gateway is None:
        return
    if not contains(spec.subnet, gateway):
        problem = f"{gateway} is not in spec.subnet {spec.subnet}"
        found.refuse("spec.gateway", problem, "write an address of the subnet")
        return
    value = to_int(gateway)
    if value not in ips or value in excluded:
        return
    for index, item in enumerate(spec.ips):
        interval = found.attempt(parse_item, item, ips.family, f"spec.ips[{index}]")
        if interval and interval[0] <= value <= interval[1]:
            problem = f"{gateway} conflicts with spec.ips[{index}] {item}"
            found.refuse("spec.gateway", problem, "add it to excludeIPs or shorten the range")
            return


def check_routes(routes: Sequence[Route], subnet: Prefix, found: Findings) -> None:
    """Each a CIDR of its own with a gateway in the subnet; never the default route."""
    seen: dict[Prefix, int] = {}
    for index, route in enumerate(routes):
        where = f"spec.routes[{index}]"
        gateway = found.attempt(parse_address, route.gw, f"{where}.gw")
        if gateway and not contains(subnet, gateway):
            problem = f"{gateway} is not in spec.subnet {subnet}"
            found.refuse(f"{where}.gw", problem, "write a router of the subnet")
        dst = found.attempt(parse_prefix, route.dst, f"{where}.dst")
        if dst is None:
            continue
        _check_destination(dst, gateway, where, found)
        if dst in seen:
            problem = f"duplicates dst {dst} of spec.routes[{seen[dst]}]"
            found.refuse(f"{where}.dst", problem, "remove one", Reason.DUPLICATE)
        seen.setdefault(dst, index)


def _check_destination(dst: Prefix, gateway: Address | None, where: str, found: Findings) -> None:
    if dst in ("0.0.0.0/0", "::/0"):
        remedy = "please specify 'spec.gateway' to configure the default route"
        found.refuse(f"{where}.dst", f"{dst} is the default route", remedy)
    if gateway and family_of(dst) is not family_of(gateway):
        problem = f"dst {dst} and gw {gateway} are of different families"
        found.refuse(where, problem, "use two of one family")
