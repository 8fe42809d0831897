"""What ``gc`` and ``ip release`` share: one look at the cluster, and the write."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from spiderpool.ctl.evidence import every, where_served
from spiderpool.errors import Invalid, SpiderpoolError
from spiderpool.ipam.blocks import Change, by_block, patch_body
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.reclaim import Suspect, suspects
from spiderpool.ipam.surroundings import Surroundings, surroundings
from spiderpool.kube import resources
from spiderpool.kube.api import JSON_PATCH, Client

MACHINES = (resources.VIRTUALMACHINE, resources.VIRTUALMACHINEINSTANCE)


@dataclass(frozen=True, slots=True)
class Look:
    """The addresses, and the cluster as it was just after these were read."""

    ledger: Ledger
    around: Surroundings

    def suspects(self) -> list[Suspect]:
        return list(suspects(self.ledger.entries(), self.around))


async def look(client: Client) -> Look:
    """Ask the API for everything, addresses first: an owner that is not there afterwards was
    not merely created in between."""
    blocks = (await client.list(resources.SPIDERIPBLOCK))["items"]
    kinds = (resources.POD, resources.NODE, resources.STATEFULSET)
    found = await every(client, kinds)
    around = surroundings(
        pods=found[resources.POD],
        nodes=found[resources.NODE],
        statefulsets=found[resources.STATEFULSET],
        machines=await where_served(client, MACHINES),
        now=time.time(),
    )
    return Look(Ledger(blocks), around)


async def write(client: Client, changes: Iterable[Change]) -> None:
    """Carry changes out, block by block.

    Raises:
        SpiderpoolError: somebody changed a record meanwhile; nothing of its block is written.
        KubeError: the API did not answer, or forbids it.
    """
    for key, group in by_block(changes).items():
        try:
            await client.patch(
                resources.SPIDERIPBLOCK, key.name, patch_body(group), content_type=JSON_PATCH
            )
        except Invalid:
            names = ", ".join(change.address for change in group)
            raise SpiderpoolError(f"{names}: changed hands meanwhile; look again") from None
