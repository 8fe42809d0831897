"""What ``gc`` and ``ip release`` share: one look at the cluster, and the write."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass

from spiderpool.ctl.evidence import every, where_served
from spiderpool.errors import Conflict, Invalid, NotFound, SpiderpoolError
from spiderpool.ipam.blocks import Change
from spiderpool.ipam.endpoints import is_outdated
from spiderpool.ipam.facts import why_dead
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

    def alive(self) -> set[str]:
        """UIDs of the pods that may hold addresses."""
        return {pod.uid for pod in self.around.pods.values() if not why_dead(pod)}


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


async def write(client: Client, ledger: Ledger, changes: Iterable[Change]) -> None:
    """Carry changes of what ``ledger`` holds out, block by block.

    Raises:
        SpiderpoolError: somebody changed a record meanwhile; nothing of its block is written.
        KubeError: the API did not answer, or forbids it.
    """
    for patch in ledger.patches(changes):
        try:
            await client.patch(
                resources.SPIDERIPBLOCK, patch.name, patch.body, content_type=JSON_PATCH
            )
        except Invalid:
            names = ", ".join(change.address for change in patch.changes)
            raise SpiderpoolError(f"{names}: changed hands meanwhile; look again") from None


async def drop_endpoints(client: Client, alive: Container[str]) -> None:
    """Delete the endpoints of pods (by UID) that are not alive and hold nothing any more.

    Endpoints are read before addresses: whoever has one has its address already.

    Raises:
        KubeError: the API did not answer, or forbids it.
    """
    endpoints = (await client.list(resources.SPIDERENDPOINT))["items"]
    ledger = Ledger((await client.list(resources.SPIDERIPBLOCK))["items"])
    for obj in endpoints:
        if is_outdated(obj, alive, ledger):
            metadata = obj["metadata"]
            name, namespace = metadata["name"], metadata["namespace"]
            with suppress(NotFound, Conflict):
                await client.delete(
                    resources.SPIDERENDPOINT, name, namespace, uid=metadata.get("uid", "")
                )
