"""Random objects of netlink messages, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from spiderpool.netlink.objects import LinkAddress, Neighbour, NextHop, Route, Rule, Scope
from spiderpool.types.address import (
    Address,
    Family,
    InterfaceAddress,
    Prefix,
    from_int,
    length_of,
    network_of,
)
from spiderpool.types.names import IfName, TableID

INDICES = {IfName("eth0"): 2, IfName("net1"): 0x01020304}
NAMES = {index: name for name, index in INDICES.items()}

links = st.sampled_from(sorted(INDICES))
families = st.sampled_from(list(Family))
tables = st.integers(1, 0xFFFFFFFF).map(TableID)
u32 = st.integers(0, 0xFFFFFFFF)
macs = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))


def addresses(family: Family) -> st.SearchStrategy[Address]:
    return st.integers(0, 2**family.bits - 1).map(lambda value: from_int(value, family))


@st.composite
def prefixes(draw: st.DrawFn, family: Family) -> Prefix:
    length = draw(st.integers(0, family.bits))
    return network_of(f"{draw(addresses(family))}/{length}")


@st.composite
def routes(draw: st.DrawFn) -> Route:
    family = draw(families)
    fields: dict[str, Any] = {
        "destination": draw(prefixes(family)),
        "table": draw(tables),
        "source": draw(st.none() | addresses(family)),
        "metric": draw(u32),
        "protocol": draw(st.integers(0, 255)),
        "scope": draw(st.sampled_from(list(Scope))) if family is Family.V4 else Scope.GLOBAL,
    }
    gateways = st.none() | addresses(family)
    if draw(st.booleans()):
        leg = st.builds(NextHop, links, gateways, st.integers(1, 256))
        return Route(nexthops=tuple(draw(st.lists(leg, min_size=1, max_size=3))), **fields)
    return Route(link=draw(links), gateway=draw(gateways), on_link=draw(st.booleans()), **fields)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    family = draw(families)
    some = st.none() | prefixes(family).filter(lambda prefix: length_of(prefix) > 0)
    mark = draw(st.none() | u32)
    return Rule(
        draw(u32),
        draw(tables),
        family,
        draw(some),
        draw(some),
        mark,
        draw(st.none() | st.integers(1, 0xFFFFFFFE)) if mark is not None else None,
        draw(st.none() | links),
        draw(st.none() | links),
        draw(st.sampled_from([1, 6, 7, 8])),
    )


@st.composite
def link_addresses(draw: st.DrawFn) -> LinkAddress:
    family = draw(families)
    host = draw(addresses(family))
    return LinkAddress(
        draw(links),
        InterfaceAddress(f"{host}/{draw(st.integers(0, family.bits))}"),
        draw(st.sampled_from(list(Scope))),
        draw(st.none() | addresses(family)) if family is Family.V4 else None,
        draw(st.booleans()),
        draw(st.booleans()),
    )


@st.composite
def neighbours(draw: st.DrawFn) -> Neighbour:
    host = draw(addresses(draw(families)))
    if draw(st.booleans()):
        return Neighbour(draw(links), host, proxy=True)
    return Neighbour(draw(links), host, draw(macs), draw(st.booleans()))
