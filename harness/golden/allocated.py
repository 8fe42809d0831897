"""Why we give other addresses than upstream: rules about one answer each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from harness.golden.bench import Bench
from harness.golden.compare import Leaf, Rules

Object = dict[str, Any]

POOL, POOLS = "ipam.spidernet.io/ippool", "ipam.spidernet.io/ippools"


@dataclass(frozen=True, slots=True)
class Allocations:
    """A case's calls, and both sides' answers to each."""

    recorded: Object
    bench: Bench
    theirs: list[Object]
    ours: list[Object]

    def pool_of(self, address: str) -> str:
        """The pool whose ranges have the address; empty when there is none."""
        found = ip_address(address.partition("/")[0])
        for name, spec in self.bench.pools.items():
            for text in spec["ips"]:
                first, _, last = text.partition("-")
                low, high = ip_address(first), ip_address(last or first)
                if low.version == found.version and int(low) <= int(found) <= int(high):
                    return name
        return ""

    def candidates(self, step: int) -> list[str]:
        """The pools that the pod, or else the network, names for the NIC, in written order."""
        annotations = self.recorded["pod"]["metadata"].get("annotations") or {}
        call = self.recorded["steps"][step]
        if POOLS in annotations:
            items = json.loads(annotations[POOLS])
            mine = [item for item in items if item.get("interface") == call["ifName"]]
            return [name for item in mine for name in _names(item)]
        if POOL in annotations:
            return _names(json.loads(annotations[POOL]))
        args = call.get("args") or {}
        return [*(args.get("defaultIPv4IPPool") or ()), *(args.get("defaultIPv6IPPool") or ())]

    def earlier(self, step: int, method: str) -> Iterator[int]:
        calls = self.recorded["steps"][:step]
        return (place for place, call in enumerate(calls) if call["method"] == method)


def _names(item: Object) -> list[str]:
    return [*(item.get("ipv4") or ()), *(item.get("ipv6") or ())]


def _addresses(answer: Object) -> list[str]:
    return [ip["address"] for ip in answer.get("ips", ())]


def _pairs(leaf: Leaf) -> list[tuple[str, str]]:
    """Addresses that differ; empty unless both gave as many, and nothing else besides."""
    theirs, ours = _addresses(leaf.theirs), _addresses(leaf.ours)
    if not theirs or len(theirs) != len(ours):
        return []
    return [(a, b) for a, b in zip(theirs, ours, strict=True) if a != b]


def _of_one_pool(leaf: Leaf, allocations: Allocations) -> bool:
    """Another address of the same pool, and all else the same."""
    pairs = _pairs(leaf)
    same = all(allocations.pool_of(a) == allocations.pool_of(b) != "" for a, b in pairs)
    return bool(pairs) and same and _without_addresses(leaf.theirs) == _without_addresses(leaf.ours)


def _without_addresses(answer: Object) -> Object:
    return answer | {"ips": [ip | {"address": None} for ip in answer["ips"]]}


def _step(leaf: Leaf) -> int:
    return int(leaf.path.removeprefix("step "))


def _written_order(leaf: Leaf, allocations: Allocations) -> bool:
    """Ours is of a pool that is named before theirs, with that pool's gateway."""
    names, pairs = allocations.candidates(_step(leaf)), _pairs(leaf)
    pools = [(allocations.pool_of(a), allocations.pool_of(b)) for a, b in pairs]
    if not pools or any(one not in names for pair in pools for one in pair):
        return False
    gateways = all(
        ip["gateway"] == allocations.bench.pools[allocations.pool_of(ip["address"])].get("gateway")
        for ip in leaf.ours["ips"]
    )
    return gateways and all(names.index(ours) < names.index(theirs) for theirs, ours in pools)


def _address_for_one_nic(leaf: Leaf, allocations: Allocations) -> bool:
    """Theirs gives what another NIC of the pod has."""
    step = _step(leaf)
    nic = allocations.recorded["steps"][step]["ifName"]
    others = [
        place
        for place in allocations.earlier(step, "POST")
        if allocations.recorded["steps"][place]["ifName"] != nic
    ]
    theirs = {address for place in others for address in _addresses(allocations.theirs[place])}
    ours = {address for place in others for address in _addresses(allocations.ours[place])}
    twice = all(a in theirs and b not in ours for a, b in _pairs(leaf))
    return _of_one_pool(leaf, allocations) and twice


def _released_rests(leaf: Leaf, allocations: Allocations) -> bool:
    """Theirs gives again what this case has released."""
    step = _step(leaf)
    released = list(allocations.earlier(step, "DELETE"))
    before = allocations.earlier(released[-1] if released else 0, "POST")
    had = {address for place in before for address in _addresses(allocations.theirs[place])}
    return _of_one_pool(leaf, allocations) and all(a in had for a, _ in _pairs(leaf))


def _hosts_only(leaf: Leaf, allocations: Allocations) -> bool:
    """Theirs gives the network's own address or its broadcast address."""
    for address, _ in _pairs(leaf):
        network = ip_network(address, strict=False)
        if ip_address(address.split("/")[0]) not in (
            network.network_address,
            network.broadcast_address,
        ):
            return False
    return _of_one_pool(leaf, allocations)


RULES: Rules[Allocations] = {
    "pools-in-written-order": _written_order,
    "an-address-is-for-one-nic": _address_for_one_nic,
    "released-addresses-rest": _released_rests,
    "hosts-addresses-only": _hosts_only,
}
