"""What takes devices away again when nobody uses them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spiderpool.ifacer.devices import BondDevice, Device
from spiderpool.ifacer.plan import members_of
from spiderpool.netlink.objects import Link, LinkKind, NetState
from spiderpool.netlink.operations import ChangeLink, DeleteLink, Operation
from spiderpool.types.names import IfName


def removal(device: Device, node: NetState, idle: Sequence[IfName] = ()) -> tuple[Operation, ...]:
    """Nothing when the device is gone already, or has got another use meanwhile.

    A bond sets the members down that it releases, and they are down before it takes them;
    those that were not ``idle`` (down) at first are set up again.
    """
    found = node.link(device.name)
    if found is None or found.kind is not _kind(device) or in_use(device, found, node):
        return ()
    return (DeleteLink(device.name), *_revived(device, node, idle))


def in_use(device: Device, link: Link, node: NetState) -> bool:
    """Whether somebody gave it an address, a master or a member more, or made a link of the node
    upon it.

    What stands upon it in another namespace cannot be seen from here.
    """
    stacked = any(
        other.parent_index == link.index and not other.parent_elsewhere for other in node.links
    )
    wanted = device.members if isinstance(device, BondDevice) else ()
    more = members_of(link.name, node) - set(wanted)
    return bool(stacked or link.master is not None or node.addresses_of(link.name) or more)


def _revived(device: Device, node: NetState, idle: Sequence[IfName]) -> Iterator[Operation]:
    if isinstance(device, BondDevice):
        for name in device.members:
            member = node.link(name)
            if member is None or name in idle or member.master not in (None, device.name):
                continue
            if member.master is not None or not member.up:
                yield ChangeLink(name, up=True)


def _kind(device: Device) -> LinkKind:
    return LinkKind.BOND if isinstance(device, BondDevice) else LinkKind.VLAN
