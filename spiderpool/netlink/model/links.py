"""Links: made, changed, up and down, deleted with all that hangs on them."""

from __future__ import annotations

import errno
from dataclasses import replace

from spiderpool.netlink.bonding import mode_of
from spiderpool.netlink.model import addresses, neighbours, routes
from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import Link, LinkAddress, LinkKind, NetState, Scope
from spiderpool.netlink.operations import ChangeLink, CreateLink, DeleteLink, Peer
from spiderpool.types.address import Family, InterfaceAddress
from spiderpool.types.names import IfName

_STACKED = (LinkKind.MACVLAN, LinkKind.IPVLAN, LinkKind.VLAN)
_LOOPBACK_ADDRESSES = ("127.0.0.1/8", "::1/128")


def change(state: NetState, operation: CreateLink | ChangeLink | DeleteLink) -> NetState:
    match operation:
        case CreateLink():
            return _create(state, operation)
        case ChangeLink():
            return _change(state, operation)
        case DeleteLink(name):
            return _delete(state, name)


def link_of_sysctl(key: str) -> str | None:
    """``ipv4/conf/eth0/rp_filter`` -> ``eth0``; None when the key is of no one link."""
    parts = key.split("/")
    if len(parts) == 4 and parts[1] in ("conf", "neigh") and parts[2] not in ("all", "default"):
        return parts[2]
    return None


def _create(state: NetState, wanted: CreateLink) -> NetState:
    for name in (wanted.parent, wanted.master):
        if name is not None and state.link(name) is None:
            raise Refusal(errno.ENODEV)
    peer = wanted.peer
    if wanted.kind is LinkKind.VETH and peer is None:
        peer = Peer(_free_name(state, "veth"))
    here = wanted.namespace is None
    peer_here = peer is not None and peer.namespace is None
    own = _new_index(state, wanted.index) if here else wanted.index or 0
    made: list[Link] = []
    if here:
        made.append(_made(state, wanted, own))
    if peer is not None and peer_here:
        taken = replace(state, links=(*state.links, *made))
        made.append(_made_peer(wanted, peer, _new_index(taken, peer.index), own))
    if here and peer is not None:
        other = made[1].index if peer_here else peer.index or 0
        made[0] = replace(made[0], parent_index=other, parent_elsewhere=not peer_here)
    for link in made:
        if state.link(link.name) is not None:
            raise Refusal(errno.EEXIST)
    state = replace(state, links=(*state.links, *(replace(link, up=False) for link in made)))
    return _set_up(state, wanted.name) if here and wanted.up else state


def _made(state: NetState, wanted: CreateLink, index: int) -> Link:
    parent = state.link(wanted.parent) if wanted.parent is not None else None
    inherited = parent.mtu if parent is not None else 1500
    return Link(
        name=wanted.name,
        index=index,
        kind=wanted.kind,
        mac=wanted.mac or _invented_mac(index),
        mtu=wanted.mtu or inherited,
        txqueuelen=1000 if wanted.txqueuelen is None else wanted.txqueuelen,
        parent_index=parent.index if parent is not None else 0,
        master=wanted.master,
        vlan=wanted.vlan,
        bond_mode=mode_of(wanted.bond) if wanted.kind is LinkKind.BOND else None,
    )


def _made_peer(wanted: CreateLink, peer: Peer, index: int, other: int) -> Link:
    return Link(
        name=peer.name,
        index=index,
        kind=wanted.kind,
        mac=peer.mac or _invented_mac(index),
        mtu=peer.mtu or 1500,
        parent_index=other,
        parent_elsewhere=wanted.namespace is not None,
    )


def _new_index(state: NetState, wanted: int | None) -> int:
    if wanted is None:
        return max((link.index for link in state.links), default=1) + 1
    if any(link.index == wanted for link in state.links):
        raise Refusal(errno.EEXIST)
    return wanted


def _invented_mac(index: int) -> str:
    return (b"\x02\x00" + index.to_bytes(4, "big")).hex(":")


def _free_name(state: NetState, stem: str) -> IfName:
    number = 0
    while state.link(f"{stem}{number}") is not None:
        number += 1
    return IfName(f"{stem}{number}")


def _change(state: NetState, wanted: ChangeLink) -> NetState:
    link = state.link(wanted.name)
    if link is None or (wanted.master is not None and state.link(wanted.master) is None):
        raise Refusal(errno.ENODEV)
    bonded = wanted.master not in (None, link.master) and _is_bond(state, wanted.master)
    if bonded and link.up:
        raise Refusal(errno.EPERM)
    if wanted.mac is not None and wanted.mac != link.mac:
        state = neighbours.forget(state, (wanted.name,))
    changed = replace(
        link,
        mac=link.mac if wanted.mac is None else wanted.mac,
        mtu=link.mtu if wanted.mtu is None else wanted.mtu,
        txqueuelen=link.txqueuelen if wanted.txqueuelen is None else wanted.txqueuelen,
        master=link.master if wanted.master is None else wanted.master,
    )
    state = _with(state, changed)
    if bonded:
        state = _set_up(state, wanted.name)
    if wanted.up is None or wanted.up is (link.up or bonded):
        return state
    return _set_up(state, wanted.name) if wanted.up else _set_down(state, changed)


def _is_bond(state: NetState, name: IfName | None) -> bool:
    """A bond takes only links that are down, sets them up, and sets them down when it goes
    (``bond_enslave`` and ``bond_release`` in drivers/net/bonding/bond_main.c)."""
    link = state.link(name) if name is not None else None
    return link is not None and link.kind is LinkKind.BOND


def _with(state: NetState, changed: Link) -> NetState:
    links = tuple(changed if link.name == changed.name else link for link in state.links)
    return replace(state, links=links)


def _set_up(state: NetState, name: IfName) -> NetState:
    """Networks of the addresses become reachable; lo gets its addresses."""
    link = state.link(name)
    assert link is not None
    link = replace(link, up=True)
    state = _with(state, link)
    if link.loopback:
        present = {entry.address for entry in state.addresses_of(name)}
        missing = [InterfaceAddress(a) for a in _LOOPBACK_ADDRESSES if a not in present]
        added = tuple(LinkAddress(name, address, scope=Scope.HOST) for address in missing)
        return replace(state, addresses=(*state.addresses, *added))
    for entry in state.addresses_of(name):
        state = addresses.connect(state, link, entry)
    return state


def _set_down(state: NetState, link: Link) -> NetState:
    """Routes and neighbours go, and IPv6 addresses (``keep_addr_on_down`` is 0)."""
    state = _with(state, replace(link, up=False))
    state = _without_addresses(state, {link.name}, Family.V6)
    return neighbours.forget(routes.link_down(state, link.name), (link.name,))


def _without_addresses(
    state: NetState, names: set[IfName], family: Family | None = None
) -> NetState:
    gone = [
        entry for entry in state.addresses if entry.link in names and family in (None, entry.family)
    ]
    state = replace(state, addresses=tuple(one for one in state.addresses if one not in gone))
    for entry in gone:
        state = addresses.forget_source(state, entry)
    return state


def _delete(state: NetState, name: str) -> NetState:
    link = state.link(name)
    if link is None:
        raise Refusal(errno.ENODEV)
    if link.loopback or link.kind is None:
        raise Refusal(errno.EOPNOTSUPP)
    doomed = _with_dependants(state, link)
    names = {link.name for link in doomed}
    for member in [one for one in state.links if _is_bond(state, one.master)]:
        if member.master in names and member.up:
            state = _set_down(state, member)
    state = _without_addresses(routes.links_gone(state, names), names)
    state = neighbours.forget(state, names)
    return replace(
        state,
        links=tuple(
            replace(one, master=None) if one.master in names else one
            for one in state.links
            if one not in doomed
        ),
        sysctls={k: v for k, v in state.sysctls.items() if link_of_sysctl(k) not in names},
    )


def _with_dependants(state: NetState, link: Link) -> set[Link]:
    """The link, the other end of a veth, and what is stacked upon either."""
    doomed: set[Link] = set()
    queue = [link]
    while queue:
        gone = queue.pop()
        doomed.add(gone)
        queue += [one for one in state.links if one not in doomed and _falls_with(one, gone)]
    return doomed


def _falls_with(link: Link, gone: Link) -> bool:
    if link.parent_elsewhere or link.parent_index != gone.index:
        return False
    return link.kind in _STACKED or (link.kind is LinkKind.VETH and gone.kind is LinkKind.VETH)
