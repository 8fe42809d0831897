"""From a topology file to a :class:`Topology`; errors name file and line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from harness.scenario.document import Item, read, required
from harness.scenario.words import vlan_number
from harness.topology.model import UNDERLAY, Machine, Nic, Topology, Way
from spiderpool.types.address import (
    Address,
    InterfaceAddress,
    Prefix,
    address_of,
    contains,
    family_of,
    network_of,
    parse_address,
    parse_interface_address,
    parse_prefix,
)
from spiderpool.types.names import IfName

T = TypeVar("T")

_MACHINE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_LINK_NAME = re.compile(r"[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,14}\Z")
_MTU = range(1280, 65536)
"""1280 is the least that IPv6 works with (RFC 8200, section 5)."""


def load(path: Path) -> Topology:
    """The topology that a YAML file describes.

    Raises:
        BadInput: at the first line that is wrong.
    """
    return parse(read(path))


def parse(item: Item) -> Topology:
    """The topology that a mapping describes; see scenarios/_topologies for the words."""
    entries = item.mapping(
        *("segments", "podCIDRs", "serviceCIDRs", "podMTU", "rpFilter", "nodes", "hosts")
    )
    segments = required(entries, "segments", item).many(_segment)
    pod_cidrs = required(entries, "podCIDRs", item).many(_prefix)
    topology = Topology(
        segments=segments,
        nodes=_machines(required(entries, "nodes", item), segments, pod_cidrs),
        hosts=_machines(entries["hosts"], segments, None) if "hosts" in entries else (),
        pod_cidrs=pod_cidrs,
        service_cidrs=required(entries, "serviceCIDRs", item).many(_prefix),
        pod_mtu=_mtu(entries.get("podMTU")),
        rp_filter=_rp_filter(entries["rpFilter"]) if "rpFilter" in entries else 0,
    )
    _refuse_twice(item, "name", topology.namespaces)
    _refuse_twice(item, "address", _addresses(topology))
    _refuse_overlaps(item, [block for node in topology.nodes for block in node.blocks])
    _refuse_overlaps(item, [*topology.pod_cidrs, *topology.service_cidrs])
    return topology


def _machines(
    item: Item, segments: tuple[IfName, ...], pod_cidrs: tuple[Prefix, ...] | None
) -> tuple[Machine, ...]:
    """Nodes when ``pod_cidrs`` is given, else hosts."""
    read_one = _host if pod_cidrs is None else _node_in(pod_cidrs)
    return tuple(read_one(entry, segments) for entry in item.mapping().values())


def _host(item: Item, segments: tuple[IfName, ...]) -> Machine:
    entries = item.mapping("nics", "gateways", "routes", "forwards")
    forwards = "forwards" in entries and entries["forwards"].one_of("true", "false") == "true"
    return _machine(item, entries, segments, forwards=forwards, blocks=())


def _node_in(pod_cidrs: tuple[Prefix, ...]) -> Callable[[Item, tuple[IfName, ...]], Machine]:
    def node(item: Item, segments: tuple[IfName, ...]) -> Machine:
        entries = item.mapping("nics", "gateways", "routes", "podBlocks")
        item_of_blocks = required(entries, "podBlocks", item)
        blocks = item_of_blocks.many(_prefix)
        for block in blocks:
            if not any(contains(cidr, block) for cidr in pod_cidrs):
                raise item_of_blocks.fail(f"{block} is in no podCIDR", "take a part of one")
        return _machine(item, entries, segments, forwards=True, blocks=blocks)

    return node


def _machine(
    item: Item,
    entries: Mapping[str, Item],
    segments: tuple[IfName, ...],
    *,
    forwards: bool,
    blocks: tuple[Prefix, ...],
) -> Machine:
    if not _MACHINE_NAME.match(item.name):
        raise item.fail(f"{item.name!r} cannot name a machine", "use a-z, 0-9 and -")
    nics = _nics(required(entries, "nics", item), segments)
    if not nics:
        raise item.fail(f"{item.name} has no NIC", "add one below `nics`")
    gateways = entries["gateways"].many(_address) if "gateways" in entries else ()
    for gateway in gateways:
        _check_gateway(gateway, entries["gateways"], item, nics)
    if len({family_of(gateway) for gateway in gateways}) != len(gateways):
        raise entries["gateways"].fail("two gateways of one family", "keep one of each family")
    ways = tuple(_ways(entries["routes"], item, nics)) if "routes" in entries else ()
    return Machine(item.name, nics, gateways, forwards, blocks, ways)


def _ways(item: Item, machine: Item, nics: tuple[Nic, ...]) -> Iterator[Way]:
    """``destination: gateway``, each."""
    for destination, entry in item.mapping().items():
        way = Way(parse_prefix(destination, str(entry.where)), _address(entry))
        _check_gateway(way.gateway, entry, machine, nics)
        if family_of(way.gateway) is not family_of(way.destination):
            raise entry.fail(f"{way.gateway} is of another family than {destination}")
        yield way


def _check_gateway(gateway: Address, item: Item, machine: Item, nics: tuple[Nic, ...]) -> None:
    if not any(contains(network_of(a), gateway) for nic in nics for a in nic.addresses):
        raise item.fail(
            f"{gateway} is in no network of {machine.name}", "use an address of the router there"
        )


def _rp_filter(item: Item) -> int:
    if (value := item.integer()) not in (0, 1, 2):
        raise item.fail(f"{value} is no mode of rp_filter", "use 0, 1 or 2")
    return value


def _nics(item: Item, segments: tuple[IfName, ...]) -> tuple[Nic, ...]:
    """With a wire into a segment, or as a VLAN upon such a one that is written before."""
    found: dict[str, Nic] = {}
    for entry in item.mapping().values():
        wired = [nic for nic in found.values() if nic.parent is None]
        made = _vlan(entry, wired) if "vlan" in entry.mapping() else _nic(entry, segments)
        found[made.name] = made
    return tuple(found.values())


def _vlan(item: Item, wired: list[Nic]) -> Nic:
    entries = item.mapping("vlan", "on", "addresses")
    on = required(entries, "on", item)
    name = on.one_of(*(nic.name for nic in wired))
    parent = next(nic for nic in wired if nic.name == name)
    own, vlan = _named(item, item.name, "NIC"), vlan_number(entries["vlan"])
    return Nic(own, parent.segment, _own_addresses(entries), parent.mtu, vlan, parent.name)


def _nic(item: Item, segments: tuple[IfName, ...]) -> Nic:
    entries = item.mapping("segment", "addresses", "mtu")
    own = _named(item, item.name, "NIC")
    segment = required(entries, "segment", item).one_of(*segments)
    return Nic(own, IfName(segment), _own_addresses(entries), _mtu(entries.get("mtu")))


def _own_addresses(entries: Mapping[str, Item]) -> tuple[InterfaceAddress, ...]:
    return entries["addresses"].many(_interface_address) if "addresses" in entries else ()


def _segment(item: Item) -> IfName:
    return _named(item, item.text(), "segment")


def _named(item: Item, text: str, what: str) -> IfName:
    if not _LINK_NAME.match(text) or text in ("lo", "all", "default"):
        raise item.fail(f"{text!r} cannot name a {what}", "use at most 15 of a-z, 0-9, - and _")
    return IfName(text)


def _prefix(item: Item) -> Prefix:
    return parse_prefix(item.text(), str(item.where))


def _address(item: Item) -> Address:
    return parse_address(item.text(), str(item.where))


def _interface_address(item: Item) -> InterfaceAddress:
    return parse_interface_address(item.text(), str(item.where))


def _mtu(item: Item | None) -> int:
    if item is None:
        return 1500
    if (mtu := item.integer()) not in _MTU:
        raise item.fail(f"{mtu} is no usable MTU", f"use {_MTU.start} to {_MTU.stop - 1}")
    return mtu


def _addresses(topology: Topology) -> Iterator[str]:
    for machine in topology.machines:
        for nic in machine.nics:
            yield from map(address_of, nic.addresses)


def _refuse_twice(item: Item, what: str, values: Iterator[str] | tuple[str, ...]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            remedy = "that name is taken by the switches" if value == UNDERLAY else "change one"
            raise item.fail(f"{what} {value!r} is used twice", remedy)
        seen.add(value)


def _refuse_overlaps(item: Item, prefixes: list[Prefix]) -> None:
    for one, other in itertools.combinations(prefixes, 2):
        if contains(one, other) or contains(other, one):
            raise item.fail(f"{one} and {other} overlap", "change one")
