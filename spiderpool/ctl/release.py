"""``spiderpoolctl ip release``: gives an address back that its owner cannot be using."""

from __future__ import annotations

from collections.abc import Sequence

from spiderpool.ctl.giving_back import Look, drop_endpoints, look, write
from spiderpool.errors import BadInput
from spiderpool.ipam.allocation import Desk, Release
from spiderpool.ipam.blocks import Change, seconds
from spiderpool.ipam.ledger import Entry, Ledger, owner_of
from spiderpool.ipam.ranges import Ranges
from spiderpool.ipam.reclaim import suspects
from spiderpool.kube.api import Client
from spiderpool.types.address import family_of, parse_address
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import PoolName


async def release(client: Client, what: str, *, force: bool) -> list[Entry]:
    """Give back what an address or a pod's name leads to; returns it as it was.

    Raises:
        BadInput: ``what`` is neither, leads to nothing, or is in use and not forced.
        SpiderpoolError: a record changed meanwhile.
    """
    seen = await look(client)
    found = wanted(seen.ledger, what)
    if "/" in what:
        found = [entry for entry in found if entry.slot.state is SlotState.HELD]
    if not found:
        raise BadInput(what, "holds no address" if "/" in what else "is held by nobody")
    if not force:
        for entry in found:
            refuse_if_used(entry, seen)
    await write(client, seen.ledger, [change(entry, seen) for entry in found])
    await drop_endpoints(client, seen.alive() - {entry.slot.pod_uid or "" for entry in found})
    return found


def wanted(ledger: Ledger, what: str) -> list[Entry]:
    """What an address or a pod's name leads to.

    Raises:
        BadInput: it is neither.
    """
    if "/" in what:
        return ledger.named(what)
    try:
        address = parse_address(what, what)
    except BadInput:
        remedy = "give an IP address or namespace/name"
        raise BadInput("spiderpoolctl ip", f"{what!r} is no address and no pod", remedy) from None
    slot = ledger.slot(address)
    return [Entry(address, slot)] if slot is not None and slot.state is not None else []


def refuse_if_used(entry: Entry, seen: Look) -> None:
    """Raises BadInput unless the collector, too, would release the address."""
    slot, remedy = entry.slot, "--force takes it away all the same"
    if slot.state is not SlotState.HELD:
        is_over = seconds(slot.until) <= seen.around.now
        state = "cools down" if slot.state is SlotState.COOLING else "is set aside"
        words = "is free already" if is_over else f"{state} until {slot.until}"
        raise BadInput(entry.address, words, "" if is_over else "--force frees it at once")
    if list(suspects([entry], seen.around)):
        return
    if slot.pod_uid in seen.around.pods:
        raise BadInput(entry.address, f"is held by Pod {slot.pod}, which exists", remedy)
    if slot.owner:
        raise BadInput(entry.address, f"is kept by {slot.owner} for its next {slot.pod}", remedy)
    raise BadInput(entry.address, "is reported by a pod that lives", remedy)


def change(entry: Entry, seen: Look) -> Change:
    """What has to be written; a held address rests before the next owner gets it."""
    slot, address = entry.slot, entry.address
    if slot.state is not SlotState.HELD:
        return Change(address, slot, Slot(generation=slot.generation + 1))
    ground = Ranges(family_of(address))
    desk = Desk(seen.ledger, slot.pool or PoolName(""), ground, seen.around.now)
    ask = Release(address, owner_of(slot), slot.generation)
    verdicts: Sequence[object] = desk.decide([ask])
    (verdict,) = verdicts
    assert isinstance(verdict, Change), "a held address with its own generation is released"
    return verdict
