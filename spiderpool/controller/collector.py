"""Gives back the addresses of pods that are gone, when no DEL ever came for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import KubeError, NotFound
from spiderpool.ipam.allocation import COOL_SECONDS, Desk, Release
from spiderpool.ipam.blocks import Change, by_block, patch_body
from spiderpool.ipam.endpoints import is_outdated
from spiderpool.ipam.facts import Pod, read_pod, why_dead
from spiderpool.ipam.ledger import Ledger, owner_of
from spiderpool.ipam.ranges import Ranges
from spiderpool.ipam.reclaim import (
    Keeper,
    Surroundings,
    Suspect,
    Watchlist,
    read_node,
    read_statefulset,
    suspects,
    why_suspect,
)
from spiderpool.ipam.sticky import MACHINE, STATEFULSET
from spiderpool.kube import resources
from spiderpool.kube.api import JSON_PATCH, Client, Informer, Object
from spiderpool.kube.optional import OptionalCache
from spiderpool.kube.resources import Resource
from spiderpool.types.address import family_of
from spiderpool.types.names import PoolName

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
MOST_PER_LOOK = 80
"""Releases per look, about 500 a minute: more at once is more likely our fault than a leak."""
ALL = "everything"


@dataclass(frozen=True, slots=True)
class Watched:
    """What the collector looks at. ``machines`` are caches of the kinds that make a virtual
    machine: VirtualMachine and VirtualMachineInstance, of the same name."""

    blocks: Informer
    pods: Informer
    nodes: Informer
    statefulsets: Informer
    endpoints: Informer
    machines: tuple[OptionalCache, ...] = ()


class Collector:
    """Looks every few seconds; see :mod:`spiderpool.ipam.reclaim` for the rules."""

    def __init__(self, client: Client, watched: Watched, ledger: Ledger) -> None:
        self._client, self._watched, self._ledger = client, watched, ledger
        self._watchlist = Watchlist()
        self._outdated: set[str] = set()
        self.released = 0
        self.queue: WorkQueue[str] = WorkQueue("collector", self.reconcile)

    def start(self) -> None:
        """Begin to look."""
        self.queue.add(ALL)

    @property
    def candidates(self) -> int:
        """How many addresses are under suspicion; for long above 0 means stuck."""
        return len(self._watchlist)

    async def reconcile(self, key: str) -> None:
        """One look: release what is ripe and confirmed."""
        try:
            await self.look(time.monotonic())
        finally:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self.queue.add, key)

    async def look(self, now: float) -> None:
        """One look at the moment ``now`` of a clock that never jumps."""
        entries = list(self._ledger.entries())
        around = self._around()
        ripe = self._watchlist.look(suspects(entries, around), now)
        if len(ripe) > MOST_PER_LOOK:
            log.warning("%d addresses are to be released, %d at a time", len(ripe), MOST_PER_LOOK)
        confirmed = [s for s in ripe[:MOST_PER_LOOK] if await self._is_confirmed(s, around)]
        await self._release(confirmed)
        await self._drop_endpoints(around.pods.values())

    def _around(self) -> Surroundings:
        pods = [read_pod(obj) for obj in self._watched.pods.all()]
        nodes = [read_node(obj) for obj in self._watched.nodes.all()]
        keepers, kinds = dict(self._statefulsets()), {STATEFULSET}
        if self._watched.machines and all(cache.served for cache in self._watched.machines):
            kinds.add(MACHINE)
            for cache in self._watched.machines:
                for obj in cache.all():
                    keepers[_key(obj, MACHINE)] = Keeper()
        return Surroundings(
            pods={pod.uid: pod for pod in pods},
            nodes={node.name: node for node in nodes},
            keepers=keepers,
            kinds=frozenset(kinds),
            now=time.time(),
        )

    def _statefulsets(self) -> Iterable[tuple[tuple[str, str], Keeper]]:
        for obj in self._watched.statefulsets.all():
            yield _key(obj, STATEFULSET), read_statefulset(obj)

    async def _is_confirmed(self, suspect: Suspect, around: Surroundings) -> bool:
        """Ask the API itself about pod and keeper: caches may be behind. Doubt keeps."""
        slot = suspect.entry.slot
        namespace, _, name = (slot.pod or "").partition("/")
        try:
            pods = {uid: pod for uid, pod in around.pods.items() if pod.key != slot.pod}
            if live := await self._get(resources.POD, name, namespace):
                pod = read_pod(live)
                pods[pod.uid] = pod
            keepers = dict(around.keepers)
            if slot.owner:
                keepers.pop((namespace, slot.owner), None)
                keepers |= await self._live_keeper(namespace, slot.owner)
        except KubeError as exc:
            log.warning("%s stays with %s: %s", suspect.entry.address, slot.pod, exc)
            return False
        return why_suspect(suspect.entry, replace(around, pods=pods, keepers=keepers)) is not None

    async def _live_keeper(self, namespace: str, owner: str) -> dict[tuple[str, str], Keeper]:
        kind, _, name = owner.partition("/")
        if kind == STATEFULSET:
            found = await self._get(resources.STATEFULSET, name, namespace)
            return {(namespace, owner): read_statefulset(found)} if found else {}
        for cache in self._watched.machines:
            if await self._get(cache.resource, name, namespace):
                return {(namespace, owner): Keeper()}
        return {}

    async def _get(self, resource: Resource, name: str, namespace: str) -> Object | None:
        try:
            return await self._client.get(resource, name, namespace)
        except NotFound:
            return None

    async def _release(self, confirmed: Iterable[Suspect]) -> None:
        changes = []
        for suspect in confirmed:
            slot, address = suspect.entry.slot, suspect.entry.address
            ground = Ranges(family_of(address))
            ask = Release(address, owner_of(slot), None, slot.generation, COOL_SECONDS)
            desk = Desk(self._ledger, slot.pool or PoolName(""), ground, time.time())
            changes += [v for v in desk.decide([ask]) if isinstance(v, Change)]
            log.info("%s of %s is released: %s", address, slot.pod, suspect.reason)
        for key, group in by_block(changes).items():
            try:
                written = await self._client.patch(
                    resources.SPIDERIPBLOCK, key.name, patch_body(group), content_type=JSON_PATCH
                )
            except KubeError as exc:
                log.warning("block %s stays as it is until the next look: %s", key.name, exc)
            else:
                self.released += len(group)
                self._watched.blocks.observe(written)

    async def _drop_endpoints(self, pods: Iterable[Pod]) -> None:
        """Delete endpoints of pods that hold nothing any more, seen so in two looks: those
        that outlived their pod, and those of pods that finished without a DEL."""
        alive = {pod.uid for pod in pods if not why_dead(pod)}
        outdated = {
            obj["metadata"]["uid"]: obj["metadata"]
            for obj in self._watched.endpoints.all()
            if is_outdated(obj, alive, self._ledger)
        }
        for uid in self._outdated & outdated.keys():
            name, namespace = outdated[uid]["name"], outdated[uid]["namespace"]
            try:
                await self._client.delete(resources.SPIDERENDPOINT, name, namespace, uid=uid)
            except KubeError as exc:
                log.debug("endpoint %s/%s is left: %s", namespace, name, exc)
        self._outdated = set(outdated)


def _key(obj: Object, kind: str) -> tuple[str, str]:
    return obj["metadata"]["namespace"], f"{kind}/{obj['metadata']['name']}"
