"""Which NICs are connected, so that a path can be read as people think of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from spiderpool.netlink.objects import LinkKind, NetState


class Nic(NamedTuple):
    """A link of a place."""

    place: str
    link: str

    def __str__(self) -> str:
        return f"{self.place}.{self.link}"


@dataclass(frozen=True, slots=True)
class Wires:
    """``peers`` are the two ends of veths, each leading to the other.

    ``parents`` lead from a macvlan, ipvlan or VLAN link to the NIC that it sits on, ``bonds``
    from a member to its bond. ``carriers`` are ends that only carry: a switch's ports, the
    node's end of a pod's veth. Nothing is routed in ``switches``.
    """

    peers: Mapping[Nic, Nic] = field(default_factory=dict)
    parents: Mapping[Nic, Nic] = field(default_factory=dict)
    carriers: frozenset[Nic] = frozenset()
    switches: frozenset[str] = frozenset()
    bonds: Mapping[Nic, Nic] = field(default_factory=dict)

    def stands_on(self, upper: Nic, lower: Nic) -> bool:
        """Whether the frames of ``upper`` come and go by ``lower``."""
        return self.parents.get(upper) == lower or self.bonds.get(lower) == upper


def wires_of(states: Mapping[str, NetState], outer: Mapping[str, str], switch: str) -> Wires:
    """The wires between places, read from what their namespaces hold.

    ``outer`` leads from a place to the one that the far ends of its links lie in: from a pod
    to its node, from a node to the ``switch``. Places without a state are left out: pods go
    while others are read, and not every switch can be looked into.
    """
    peers: dict[Nic, Nic] = {}
    parents: dict[Nic, Nic] = {}
    bonds: dict[Nic, Nic] = {}
    for place, state in states.items():
        parents |= _vlans(place, state)
        bonds |= _members(place, state)
    carriers = (
        {Nic(switch, link.name) for link in states[switch].links} if switch in states else set()
    )
    for place, around in outer.items():
        if place not in states or around not in states:
            continue
        by_index = {link.index: link for link in states[around].links}
        for link in states[place].links:
            far = by_index.get(link.parent_index) if link.parent_elsewhere else None
            if far is None:
                continue
            near_nic, far_nic = Nic(place, link.name), Nic(around, far.name)
            if link.kind in (LinkKind.MACVLAN, LinkKind.IPVLAN):
                parents[near_nic] = far_nic
            elif far.parent_elsewhere and far.parent_index == link.index:
                peers |= {near_nic: far_nic, far_nic: near_nic}
                carriers.add(far_nic)
    return Wires(peers, parents, frozenset(carriers), frozenset({switch}), bonds)


def _vlans(place: str, state: NetState) -> dict[Nic, Nic]:
    """VLAN links that stand on a NIC of the same place."""
    names = {link.index: link.name for link in state.links}
    return {
        Nic(place, link.name): Nic(place, names[link.parent_index])
        for link in state.links
        if link.kind is LinkKind.VLAN and not link.parent_elsewhere
    }


def _members(place: str, state: NetState) -> dict[Nic, Nic]:
    bonds = {link.name for link in state.links if link.kind is LinkKind.BOND}
    return {
        Nic(place, link.name): Nic(place, link.master)
        for link in state.links
        if link.master in bonds
    }
