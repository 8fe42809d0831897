"""What makes a node have the devices, from what it has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from spiderpool.errors import BadInput
from spiderpool.ifacer.devices import BondDevice, Device, VlanDevice
from spiderpool.netlink.bonding import mode_of
from spiderpool.netlink.model import after
from spiderpool.netlink.objects import Link, LinkKind, NetState
from spiderpool.netlink.operations import ChangeLink, CreateLink, Operation
from spiderpool.types.names import IfName

_NODE = "ifacer"


def plan(
    wanted: Sequence[Device], node: NetState, ours: Collection[IfName] = ()
) -> tuple[Operation, ...]:
    """Nothing when all is there. ``node`` holds all links and global addresses.

    A device that is there already is used as it is if it is what was asked for, whoever made
    it; nobody's device is changed into another one. Only a bond of ``ours`` gets a member back.

    Raises:
        BadInput: a NIC is missing or in use, or another device has the name or the VLAN.
    """
    operations: list[Operation] = []
    for device in wanted:
        made = tuple(_operations(device, node, device.name in ours))
        node = after(node, made)
        operations += made
    return tuple(operations)


def _operations(device: Device, node: NetState, is_ours: bool) -> Iterator[Operation]:
    match device:
        case VlanDevice():
            yield from _vlan(device, node)
        case BondDevice():
            yield from _bond(device, node, is_ours)


def _vlan(device: VlanDevice, node: NetState) -> Iterator[Operation]:
    parent = _nic(device.parent, node)
    if not parent.up:
        yield ChangeLink(parent.name, up=True)
    for link in node.links:
        if link.kind is LinkKind.VLAN and link.vlan == device.vlan and link.name != device.name:
            problem = f"VLAN {device.vlan} is taken by {link.name}"
            raise BadInput(f"{_NODE} {device.name}", problem, "one VLAN is used by one device only")
    found = node.link(device.name)
    if found is None:
        yield CreateLink(
            device.name, LinkKind.VLAN, parent=device.parent, vlan=device.vlan, up=True
        )
        return
    fits = (found.kind, found.vlan, found.parent_index, found.parent_elsewhere)
    if fits != (LinkKind.VLAN, device.vlan, parent.index, False):
        raise _another(device, f"VLAN {device.vlan} on {device.parent}")
    if not found.up:
        yield ChangeLink(device.name, up=True)


def _bond(device: BondDevice, node: NetState, is_ours: bool) -> Iterator[Operation]:
    found = node.link(device.name)
    members = members_of(device.name, node)
    missing = [name for name in device.members if name not in members]
    if found is None:
        yield CreateLink(device.name, LinkKind.BOND, bond=device.settings)
    elif found.kind is not LinkKind.BOND or found.bond_mode != mode_of(device.settings):
        raise _another(device, f"bond of mode {mode_of(device.settings)}")
    elif extra := members - set(device.members):
        raise _another(device, f"bond of {', '.join(device.members)}: {', '.join(extra)} is in it")
    elif missing and not is_ours:
        words = f"bond of {', '.join(device.members)}: {', '.join(missing)} is not in it"
        raise _another(device, words)
    for name in missing:
        yield from _enslave(_nic(name, node), device, node)
    if found is None or not found.up:
        yield ChangeLink(device.name, up=True)


def members_of(bond: IfName, node: NetState) -> set[IfName]:
    """The NICs that a bond has."""
    return {link.name for link in node.links if link.master == bond}


def _enslave(nic: Link, bond: BondDevice, node: NetState) -> Iterator[Operation]:
    """The driver takes only a NIC that is down, and sets it up itself."""
    where = f"{_NODE} {bond.name}: {nic.name}"
    if nic.master is not None:
        raise BadInput(where, f"is a member of {nic.master}", "choose another NIC")
    if addresses := node.addresses_of(nic.name):
        problem = f"has the address {addresses[0].address}, which a member cannot use"
        raise BadInput(where, problem, "choose a NIC without addresses, or make the bond by hand")
    if nic.up:
        yield ChangeLink(nic.name, up=False)
    yield ChangeLink(nic.name, master=bond.name)


def _nic(name: IfName, node: NetState) -> Link:
    found = node.link(name)
    if found is None:
        known = ", ".join(link.name for link in node.links if not link.loopback)
        raise BadInput(f"{_NODE}: interfaces", f"this node has no NIC {name}", f"it has {known}")
    return found


def _another(device: Device, wanted: str) -> BadInput:
    problem = f"a device of this name is there, but it is no {wanted}"
    return BadInput(f"{_NODE} {device.name}", problem, "remove it, or use another name")
