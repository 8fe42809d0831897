"""Gives back the addresses of pods that are gone, when no DEL ever came for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from spiderpool.controller.metrics import Collected
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import KubeError, NotFound
from spiderpool.ipam.endpoints import is_outdated
from spiderpool.ipam.facts import Pod, read_pod, why_dead
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.reclaim import Suspect, Watchlist, releases, suspects, why_suspect
from spiderpool.ipam.sticky import STATEFULSET
from spiderpool.ipam.surroundings import (
    Keeper,
    Surroundings,
    read_node,
    read_statefulset,
    surroundings,
)
from spiderpool.kube import resources
from spiderpool.kube.api import JSON_PATCH, Client, Informer, Object
from spiderpool.kube.optional import OptionalCache
from spiderpool.kube.resources import Resource

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

    def __init__(
        self,
        client: Client,
        watched: Watched,
        ledger: Ledger,
        counts: Collected | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._watched, self._ledger, self._now = client, watched, ledger, now
        self.counts = counts or Collected()
        self._watchlist = Watchlist()
        self._outdated: set[str] = set()
        self._doubts: set[str] = set()
        self._began: float | None = None
        self.queue: WorkQueue[str] = WorkQueue("collector", self.reconcile)

    def start(self) -> None:
        """Begin to look."""
        self.queue.add(ALL)

    async def reconcile(self, key: str) -> None:
        """One look: release what is ripe and confirmed."""
        try:
            await self.look(time.monotonic())
        finally:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self.queue.add, key)

    async def look(self, now: float) -> None:
        """One look at the moment ``now`` of a clock that never jumps."""
        entries = list(self._ledger.entries())
        around = self._around(now)
        ripe = self._watchlist.look(suspects(entries, around), now)
        self.counts.candidates = len(self._watchlist)
        if len(ripe) > MOST_PER_LOOK:
            log.warning("%d addresses are to be released, %d at a time", len(ripe), MOST_PER_LOOK)
        told, self._doubts = self._doubts, set()
        confirmed = [s for s in ripe[:MOST_PER_LOOK] if await self._is_confirmed(s, around)]
        await self._release(confirmed)
        for doubt in sorted(self._doubts - told):
            log.warning("%s", doubt)
        await self._drop_endpoints(around.pods.values())

    def _around(self, moment: float) -> Surroundings:
        """A wall clock that was put forward makes no pod overdue."""
        if self._began is None:
            self._began = self._now() - moment
        caches = self._watched.machines
        known = caches and all(cache.served for cache in caches)
        return surroundings(
            pods=self._watched.pods.all(),
            nodes=self._watched.nodes.all(),
            statefulsets=self._watched.statefulsets.all(),
            machines=[obj for cache in caches for obj in cache.all()] if known else None,
            now=min(self._now(), self._began + moment),
        )

    async def _is_confirmed(self, suspect: Suspect, around: Surroundings) -> bool:
        """Ask the API itself about pod, node and keeper: caches may be behind. Doubt keeps."""
        slot = suspect.entry.slot
        namespace, _, name = (slot.pod or "").partition("/")
        try:
            pods = {uid: pod for uid, pod in around.pods.items() if pod.key != slot.pod}
            if live := await self._get(resources.POD, name, namespace):
                pod = read_pod(live)
                pods[pod.uid] = pod
            nodes = {key: node for key, node in around.nodes.items() if key != slot.node}
            if slot.node and (live := await self._get(resources.NODE, slot.node)):
                nodes[slot.node] = read_node(live)
            keepers = dict(around.keepers)
            if slot.owner:
                keepers.pop((namespace, slot.owner), None)
                keepers |= await self._live_keeper(namespace, slot.owner)
        except KubeError as exc:
            self._doubt(f"{suspect.entry.address} stays with {slot.pod}: {exc}", 1)
            return False
        around = replace(around, pods=pods, nodes=nodes, keepers=keepers)
        return why_suspect(suspect.entry, around) is not None

    async def _live_keeper(self, namespace: str, owner: str) -> dict[tuple[str, str], Keeper]:
        kind, _, name = owner.partition("/")
        if kind == STATEFULSET:
            found = await self._get(resources.STATEFULSET, name, namespace)
            return {(namespace, owner): read_statefulset(found)} if found else {}
        for cache in self._watched.machines:
            if await self._get(cache.resource, name, namespace):
                return {(namespace, owner): Keeper()}
        return {}

    async def _get(
        self, resource: Resource, name: str, namespace: str | None = None
    ) -> Object | None:
        try:
            return await self._client.get(resource, name, namespace)
        except NotFound:
            return None

    async def _release(self, confirmed: Sequence[Suspect]) -> None:
        for suspect in confirmed:
            slot = suspect.entry.slot
            log.info("%s of %s is released: %s", suspect.entry.address, slot.pod, suspect.reason)
        changes = releases(self._ledger, confirmed, self._now())
        for patch in self._ledger.patches(changes):
            try:
                written = await self._client.patch(
                    resources.SPIDERIPBLOCK, patch.name, patch.body, content_type=JSON_PATCH
                )
            except KubeError as exc:
                words = f"block {patch.name} stays as it is until the next look: {exc}"
                self._doubt(words, len(patch.changes))
            else:
                self.counts.released += len(patch.changes)
                self._watched.blocks.observe(written)

    def _doubt(self, words: str, addresses: int) -> None:
        """What is as it was in the look before is not told again."""
        self.counts.failed += addresses
        self._doubts.add(words)

    async def _drop_endpoints(self, pods: Iterable[Pod]) -> None:
        """Delete endpoints of pods that hold nothing any more, seen so in two looks and asked:
        those that outlived their pod, and those of pods that finished without a DEL."""
        alive = {pod.uid for pod in pods if not why_dead(pod)}
        outdated = {
            obj["metadata"]["uid"]: obj["metadata"]
            for obj in self._watched.endpoints.all()
            if is_outdated(obj, alive, self._ledger)
        }
        for uid in self._outdated & outdated.keys():
            name, namespace = outdated[uid]["name"], outdated[uid]["namespace"]
            try:
                live = await self._get(resources.POD, name, namespace)
                if live is None or why_dead(read_pod(live)):
                    await self._client.delete(resources.SPIDERENDPOINT, name, namespace, uid=uid)
            except KubeError as exc:
                log.debug("endpoint %s/%s is left: %s", namespace, name, exc)
        self._outdated = set(outdated)
