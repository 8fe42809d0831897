"""Whether somebody else has the addresses that a NIC is about to get, asked on its wire.

Asked before the NIC has them: a link that comes up tells everybody of its addresses (macvlan's
plugin sets arp_notify), so that the packets for their true holder would come to the pod, for
as long as neighbours believe it (upstream issue 4582). And the link is down again when the
main plugin goes on, for it must tell of its addresses then (upstream issue 4650).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from spiderpool.agent.threads import in_thread
from spiderpool.errors import CniCode, CniError
from spiderpool.ipam.conflicts import Conflict, Fate, complaint
from spiderpool.kernel.role import KernelRole, Wire
from spiderpool.netlink.apply import apply
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.operations import ChangeLink
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Address
from spiderpool.types.names import IfName

Settle = Callable[[Address], Awaitable[Fate]]
"""Decides what becomes of an address that somebody else has, and sees to it."""

_LINKS = Selection(addresses_of=(), tables=(), neighbours_of=(), rules=False)


async def refuse_rivals(
    nic: IfName, addresses: Sequence[Address], rivals: Mapping[Address, str], settle: Settle
) -> None:
    """Nothing, while nobody else has one of the addresses.

    Raises:
        CniError: 104, with who has which, and what becomes of it.
    """
    taken = [address for address in addresses if address in rivals]
    if not taken:
        return
    fates = await asyncio.gather(*map(settle, taken))
    found = [Conflict(each, rivals[each], fate) for each, fate in zip(taken, fates, strict=True)]
    raise CniError(CniCode.ADDRESS_CONFLICT, complaint(nic, found))


async def probe_early(
    kernel: KernelRole, pod: Namespace, nic: IfName, addresses: Sequence[Address], settle: Settle
) -> bool:
    """Ask for addresses that the NIC does not have yet; False when there is no NIC yet.

    Raises:
        CniError: 104 for a conflict; 5 when the NIC cannot send.
    """
    async with _on_the_wire(kernel, pod, nic) as wire:
        if wire is None:
            return False
        try:
            rivals = await kernel.conflicts(wire, addresses)
        except OSError as exc:
            words = f"{nic} cannot be probed: {exc.strerror}"
            raise CniError(CniCode.IO_FAILURE, words) from None
    await refuse_rivals(nic, addresses, rivals, settle)
    return True


@asynccontextmanager
async def _on_the_wire(
    kernel: KernelRole, pod: Namespace, nic: IfName
) -> AsyncIterator[Wire | None]:
    """The NIC while it is up; what it learns meanwhile goes when it is down again."""
    wire, raised = await in_thread(_raise, kernel, pod, nic)
    try:
        yield wire
    finally:
        if raised:
            await in_thread(_change, kernel, pod, ChangeLink(nic, up=False))


def _raise(kernel: KernelRole, pod: Namespace, nic: IfName) -> tuple[Wire | None, bool]:
    """The NIC's wire, if there is one, and whether it was down before."""
    with kernel.open(pod) as inside:
        state = inside.dump(_LINKS)
        link = state.link(nic)
        if link is None:
            return None, False
        if not link.up:
            apply(inside, [ChangeLink(nic, up=True)])
        macs = frozenset(one.mac for one in state.links)
        return Wire(pod, nic, link.mac, macs), not link.up


def _change(kernel: KernelRole, pod: Namespace, change: ChangeLink) -> None:
    with kernel.open(pod) as inside:
        apply(inside, [change])
