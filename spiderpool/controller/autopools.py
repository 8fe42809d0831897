"""Makes, enlarges, shrinks and removes the pools that workloads ask of a SpiderSubnet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.controller.admission.poolbook import PoolReader
from spiderpool.controller.caches import WORKLOADS as WATCHED
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import BadInput, Invalid, NoAddress, NotFound, SpiderpoolError
from spiderpool.ipam.annotations import SUBNET, SUBNETS
from spiderpool.ipam.autopools import (
    ALL,
    APPLICATION,
    CONTROLLER,
    RECLAIM,
    Application,
    Wish,
    addresses_for,
    affinity_change,
    find,
    new_name,
    pool_object,
    wishes,
)
from spiderpool.ipam.facts import Controller, Pod, node_addresses, read_pod
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.pools import Pool, point, read_reserved
from spiderpool.ipam.ranges import Ranges, parse
from spiderpool.ipam.workloads import WORKLOADS, Workload, has_maker, is_native
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.events import EventRecorder, Subject
from spiderpool.kube.reasons import Reason
from spiderpool.kube.resources import SPIDERIPPOOL
from spiderpool.types.address import Family, family_of
from spiderpool.types.metadata import read
from spiderpool.types.names import PoolName
from spiderpool.types.subnet import SpiderSubnet

RESOURCES = {resource.kind: resource for resource in WATCHED}

Key = tuple[str, str, str]
"""Kind (with its group, where foreign), namespace and name of a workload."""

PODLESS_SECONDS = 600.0
"""How long the pools of a foreign workload outlive its last pod: it may only be scaled down."""


@dataclass(frozen=True, slots=True)
class AutoPoolCaches:
    """What automatic pools depend on; ``workloads`` by kind, ``pods`` for those of other makers."""

    workloads: Mapping[str, Informer]
    pods: Informer
    subnets: Informer
    pools: Informer
    reserved: Informer
    nodes: Informer
    ledger: Ledger


class AutoPools:
    """One workload after another, so no two of them take the same addresses."""

    def __init__(
        self,
        client: Client,
        caches: AutoPoolCaches,
        recorder: EventRecorder,
        families: frozenset[Family] = ALL,
    ) -> None:
        self._client, self._caches, self._recorder = client, caches, recorder
        self._families, self._read = families, PoolReader()
        self._podless: dict[Key, float] = {}
        self.queue: WorkQueue[Key] = WorkQueue("auto pools", self.reconcile)

    def start(self) -> None:
        """Follow workloads, subnets and pools."""
        for kind, informer in self._caches.workloads.items():
            informer.subscribe(self._follower(kind))
        for informer in (self._caches.subnets, self._caches.reserved):
            informer.subscribe(lambda old, new: self._look_at_all())
        self._caches.pools.subscribe(self._on_pool)
        self._caches.pods.subscribe(self._on_pod)

    async def reconcile(self, key: Key) -> None:
        """Give one workload its pools, or take them from one that is gone."""
        kind, namespace, name = key
        if kind not in WORKLOADS:
            await self._reconcile_foreign(key)
            return
        obj = self._caches.workloads[kind].get(name, namespace)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            if not await self._is_there(kind, name, namespace):
                await self._reclaim(self._pools_of(key), keep=frozenset())
            return
        owner = Controller(kind, name, WORKLOADS[kind].api_version, obj["metadata"]["uid"])
        app, workload = Application(namespace, owner), WORKLOADS[kind]
        await self._serve(key, app, workload.annotations(obj), workload.replicas(obj))

    async def _reconcile_foreign(self, key: Key) -> None:
        """A workload of a kind that only its own controller knows is there while its pods are:
        they say what it wants, and its pools go when there has been none for some time."""
        pods = self._foreign_pods(key)
        if pods:
            self._podless.pop(key, None)
            app, newest = pods[-1]
            await self._serve(key, app, newest.annotations, replicas=0)
            return
        pools = self._pools_of(key)
        loop = asyncio.get_running_loop()
        since = self._podless.setdefault(key, loop.time())
        left = since + PODLESS_SECONDS - loop.time()
        if pools and left > 0:
            loop.call_later(left, self.queue.add, key)
            return
        del self._podless[key]
        await self._reclaim(pools, keep=frozenset())

    async def _serve(
        self, key: Key, app: Application, annotations: Mapping[str, str], replicas: int
    ) -> None:
        try:
            wanted = wishes(app, annotations, self._families)
            kept = [await self._fulfil(wish, replicas) for wish in wanted]
        except (BadInput, NoAddress) as exc:
            self._tell(app, exc)
            return
        except Invalid as exc:
            self._tell(app, exc)
            raise
        await self._reclaim(self._pools_of(key), keep=frozenset(kept))

    async def _fulfil(self, wish: Wish, replicas: int) -> PoolName:
        """Give a wish its pool, and return the pool's name."""
        subnet = self._subnet(wish)
        own = find(wish, (pool for pool in self._pools() if not pool.terminating))
        held = Ranges(wish.family)
        if own is not None:
            entries = self._caches.ledger.held(own.name)
            held = Ranges.of(wish.family, (point(entry.address) for entry in entries))
        others = self._taken(wish.family, own) | _excluded(own, wish.family)
        ips = addresses_for(wish, subnet, replicas=replicas, own=own, others=others, held=held)
        if own is None:
            name = new_name(wish, {obj["metadata"]["name"] for obj in self._caches.pools.all()})
            made = pool_object(wish, name, subnet, ips)
            self._caches.pools.observe(await self._client.create(SPIDERIPPOOL, made))
            return name
        selector = affinity_change(own, wish.application)
        if ips != own.listed or selector or not wish.labels.items() <= own.labels.items():
            spec = {"ips": list(ips.text())} | selector
            change = {"metadata": {"labels": wish.labels}, "spec": spec}
            written = await self._client.patch(
                SPIDERIPPOOL, own.name, change, field_manager=CONTROLLER
            )
            self._caches.pools.observe(written)
        return own.name

    async def _reclaim(self, pools: Iterable[Pool], keep: frozenset[str]) -> None:
        """Delete pools that their workload has no use for, unless they shall stay for the
        next one of its name. Those that hold addresses stay until these are given back."""
        for pool in pools:
            unwanted = pool.name not in keep and not pool.terminating
            if unwanted and pool.labels.get(RECLAIM) == "true":
                try:
                    await self._client.delete(SPIDERIPPOOL, pool.name)
                except NotFound:
                    continue

    async def _is_there(self, kind: str, name: str, namespace: str) -> bool:
        """Whether a workload exists all the same: a cache may be behind, and a pool that is
        deleted while pods draw from it never serves them again."""
        try:
            found = await self._client.get(RESOURCES[kind], name, namespace)
        except NotFound:
            return False
        return not found["metadata"].get("deletionTimestamp")

    def _subnet(self, wish: Wish) -> SpiderSubnet:
        obj = self._caches.subnets.get(wish.subnet)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            raise NoAddress(f"SpiderSubnet {wish.subnet} does not exist")
        return read(SpiderSubnet, obj)

    def _pools(self) -> list[Pool]:
        return self._read(self._caches.pools.all())

    def _pools_of(self, key: Key) -> list[Pool]:
        """The automatic pools that were made for a workload of that name."""
        names = {
            obj["metadata"]["name"] for obj in self._caches.pools.all() if _maker_of(obj) == key
        }
        return [pool for pool in self._pools() if pool.name in names]

    def _taken(self, family: Family, own: Pool | None) -> Ranges:
        """What a pool must not have: other pools', reserved and node addresses."""
        nodes = node_addresses(self._caches.nodes.all())
        intervals = [point(node) for node in nodes if family_of(node) is family]
        for pool in self._pools():
            if pool.family is family and pool is not own:
                intervals += pool.listed.intervals
        return read_reserved(self._caches.reserved.all())[family] | Ranges.of(family, intervals)

    def _foreign_pods(self, key: Key) -> list[tuple[Application, Pod]]:
        """The pods that ask for subnets, of a workload of a foreign kind, oldest first."""
        found = []
        for obj in self._caches.pods.all():
            if _wants_subnet(obj["metadata"].get("annotations")):
                app = self._foreign_app(obj)
                if app is not None and _key_of(app) == key:
                    found.append((obj["metadata"].get("creationTimestamp") or "", app, obj))
        found.sort(key=lambda item: item[0])
        return [(app, read_pod(obj)) for _, app, obj in found]

    def _foreign_app(self, obj: Object) -> Application | None:
        """The top of a pod when it is of a foreign kind; else None."""
        pod = read_pod(obj)
        top = pod.controller
        if is_native(top):
            made = self._caches.workloads[top.kind].get(top.name, pod.namespace)
            if made is None or not has_maker(top.kind, made):
                return None
            top = read_pod(made).controller
        if top.kind == "Pod" or is_native(top):
            return None
        return Application(pod.namespace, top)

    def _on_pod(self, old: Object | None, new: Object | None) -> None:
        obj = new or old or {}
        if (new is None or old is None) and _wants_subnet(obj["metadata"].get("annotations")):
            app = self._foreign_app(obj)
            if app is not None:
                self.queue.add(_key_of(app))

    def _follower(self, kind: str) -> Callable[[Object | None, Object | None], None]:
        workload = WORKLOADS[kind]

        def follow(old: Object | None, new: Object | None) -> None:
            obj = new or old or {}
            if not has_maker(kind, obj) and (_asks(workload, old) or _asks(workload, new)):
                self.queue.add((kind, obj["metadata"]["namespace"], obj["metadata"]["name"]))

        return follow

    def _look_at_all(self) -> None:
        for kind, informer in self._caches.workloads.items():
            for obj in informer.all():
                self._follower(kind)(None, obj)

    def _on_pool(self, old: Object | None, new: Object | None) -> None:
        """An automatic pool without a workload, one that somebody deleted or changed, or one
        that can shrink at last, since addresses came back."""
        key = _maker_of(new or old or {})
        if key is None:
            return
        if new is None or old is None or new["spec"] != old["spec"] or _held(new) < _held(old):
            self.queue.add(key)

    def _tell(self, app: Application, problem: SpiderpoolError) -> None:
        owner = app.controller
        subject = Subject(owner.api_version, owner.kind, owner.name, app.namespace, owner.uid)
        self._recorder.warn(subject, Reason.SCALE_IPPOOL, str(problem))


def _excluded(own: Pool | None, family: Family) -> Ranges:
    """What somebody took out of an automatic pool: others are given in its place."""
    return parse(own.spec.exclude_ips, family, "") if own else Ranges(family)


def _key_of(app: Application) -> Key:
    return app.kind, app.namespace, app.controller.name


def _maker_of(pool: Object) -> Key | None:
    """The workload that an automatic pool is for; None for any other pool."""
    text = (pool["metadata"].get("annotations") or {}).get(APPLICATION, "")
    kind, _, rest = text.partition("/")
    namespace, _, name = rest.partition("/")
    return (kind, namespace, name) if name else None


def _held(pool: Object) -> int:
    """How many addresses a pool's status says that it holds."""
    return int((pool.get("status") or {}).get("allocatedIPCount") or 0)


def _asks(workload: Workload, obj: Any) -> bool:
    return obj is not None and _wants_subnet(workload.annotations(obj))


def _wants_subnet(annotations: Mapping[str, str] | None) -> bool:
    return bool(annotations) and not {SUBNET, SUBNETS}.isdisjoint(annotations or ())
