"""What turns two namespaces into recorded ones: pure, and the same for the first state as
for what other plugins did later.

Links that this kernel may lack the type of, or whose parent is not recorded, are stood in
for by a veth whose other end is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.golden.meaning import IS_MAC
from harness.golden.recorded import Pair
from spiderpool.coordinator.facts import other_end
from spiderpool.coordinator.present import legs, route_key
from spiderpool.netlink.objects import Link, LinkAddress, LinkKind, NetState, Route, Scope
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteRoute,
    Operation,
    Peer,
    SetNeighbour,
)
from spiderpool.types.address import InterfaceAddress, length_of
from spiderpool.types.names import LOCAL, IfName


@dataclass(frozen=True, slots=True)
class Places:
    """Descriptors of namespaces in which links are born."""

    pod: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Births:
    """Operations that make links; those of ``node`` come first and make some in the pod.

    ``pairs`` are the links of the node whose other end is in the pod.
    """

    node: tuple[Operation, ...]
    pod: tuple[Operation, ...]
    pairs: tuple[Link, ...]


def births(current: Pair, wanted: Pair, places: Places) -> Births:
    """The links that are wanted and not there yet, still down."""
    inside, outside = _new(current.pod, wanted.pod), _new(current.node, wanted.node)
    paired: set[IfName] = set()
    pairs: list[Link] = []
    node: list[Operation] = []
    for link in outside:
        inner = next((one for one in inside if other_end(one, [link]) is link), None)
        if inner is not None:
            paired.add(inner.name)
            pairs.append(link)
            peer = Peer(inner.name, places.pod, inner.mac, inner.mtu, inner.index)
        else:
            peer = _far(link, "n", places)
        node.append(_veth(link, peer))
    pod: list[Operation] = []
    for link in (one for one in inside if one.name not in paired):
        parent = next((one for one in wanted.node.links if one.index == link.parent_index), None)
        if link.kind is LinkKind.MACVLAN and parent is not None:
            node.append(_macvlan(link, parent.name, places))
        else:
            pod.append(_veth(link, _far(link, "p", places)))
    return Births(tuple(node), tuple(pod), tuple(pairs))


def _new(current: NetState, wanted: NetState) -> list[Link]:
    known = {link.name for link in current.links}
    return [link for link in wanted.links if link.name not in known]


def _far(link: Link, side: str, places: Places) -> Peer:
    return Peer(far_name(link, side), places.elsewhere)


def far_name(link: Link, side: str) -> IfName:
    """What the other end, elsewhere, of a link of the node (``n``) or the pod (``p``) is called."""
    return IfName(f"{side}{link.index}")


def _veth(link: Link, peer: Peer) -> CreateLink:
    mac = link.mac if IS_MAC.fullmatch(link.mac) else None
    made = CreateLink(link.name, LinkKind.VETH, mac=mac, mtu=link.mtu, peer=peer)
    return replace(made, index=link.index, txqueuelen=link.txqueuelen)


def _macvlan(link: Link, parent: IfName, places: Places) -> CreateLink:
    """Its index is the kernel's choice: the batch is sent in the node's namespace."""
    return CreateLink(
        link.name,
        LinkKind.MACVLAN,
        mac=link.mac,
        mtu=link.mtu,
        txqueuelen=link.txqueuelen,
        parent=parent,
        namespace=places.pod,
    )


def gateways(pair: Pair, nic: IfName, result: Mapping[str, Any]) -> list[AddAddress]:
    """Operations elsewhere: the gateways that an allocation names are there, on the LAN that
    the NIC is on, so that they answer."""
    link = pair.pod.link(nic)
    far = _far_end(link, pair) if link is not None else None
    if far is None:
        return []
    entries = [ip for ip in result.get("ips") or () if ip.get("gateway")]
    addresses = [f"{ip['gateway']}/{length_of(ip['address'])}" for ip in entries]
    return [
        AddAddress(LinkAddress(far, InterfaceAddress(address), no_dad=True))
        for address in dict.fromkeys(addresses)
    ]


def _far_end(link: Link, pair: Pair) -> IfName | None:
    """The link elsewhere; None where the other end is the node itself."""
    if link.kind is LinkKind.MACVLAN:
        parent = next((one for one in pair.node.links if one.index == link.parent_index), None)
        return far_name(parent, "n") if parent is not None else None
    return None if other_end(link, pair.node.links) else far_name(link, "p")


def raised(links: Iterable[Link]) -> tuple[Operation, ...]:
    """Set links up."""
    return tuple(ChangeLink(link.name, up=True) for link in links)


def addressed(current: NetState, wanted: NetState) -> Iterator[Operation]:
    """Addresses that lack; the kernel makes those of a link alone itself."""
    known = {(entry.link, entry.address) for entry in current.addresses}
    for entry in wanted.addresses:
        if (entry.link, entry.address) not in known and entry.scope is not Scope.LINK:
            yield AddAddress(replace(entry, no_dad=True))


def routed(current: NetState, wanted: NetState) -> tuple[Operation, ...]:
    """Rules, neighbours, and each destination's routes in the wanted order.

    What routes need as neighbours comes first: those without a gateway.
    """
    there, here = _by_destination(current), _by_destination(wanted)
    changed = [key for key in {**there, **here} if _keys(there, key) != _keys(here, key)]
    gone = [DeleteRoute(route) for key in changed for route in there.get(key, ())]
    new = [AddRoute(route) for key in changed for route in here.get(key, ())]
    new.sort(key=lambda operation: operation.route.gateway is not None)
    rules = [AddRule(rule) for rule in wanted.rules if rule not in current.rules]
    neighbours = [
        SetNeighbour(entry)
        for entry in wanted.neighbours
        if entry.permanent and entry not in current.neighbours
    ]
    return (*gone, *new, *rules, *neighbours)


_Key = tuple[str, int]
_Groups = dict[_Key, list[Route]]


def _by_destination(state: NetState) -> _Groups:
    found: _Groups = {}
    for leg in (leg for route in state.routes for leg in legs(route)):
        if leg.table != LOCAL and not leg.destination.startswith(("fe80:", "ff00:")):
            found.setdefault((leg.destination, leg.table), []).append(leg)
    return found


def _keys(groups: _Groups, key: _Key) -> list[object]:
    return [route_key(route) for route in groups.get(key, ())]
