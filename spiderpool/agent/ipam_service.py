"""Addresses for NICs: which pools to ask, in which order, both families or none."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from spiderpool.agent.ipam_sources import Sources
from spiderpool.agent.ipam_subnets import SubnetRules
from spiderpool.agent.ipam_writer import Counters, PoolWriter, Traffic
from spiderpool.cni.request import Attachment
from spiderpool.errors import BadInput, NoAddress
from spiderpool.ipam.allocation import Claim, Release, SetAside
from spiderpool.ipam.annotations import ROUTES, place, read_routes
from spiderpool.ipam.autopools import Application
from spiderpool.ipam.blocks import Change
from spiderpool.ipam.candidates import candidates
from spiderpool.ipam.conflicts import Fate, fate_of
from spiderpool.ipam.facts import Pod
from spiderpool.ipam.filters import Skipped
from spiderpool.ipam.grants import Grant, NicGrant, routes_here
from spiderpool.ipam.ledger import Entry, owner_of
from spiderpool.ipam.netconf import IpamConf
from spiderpool.ipam.pools import Pool
from spiderpool.ipam.selection import Choice, choices, of_families, wanted, why_none
from spiderpool.ipam.standing import standing, with_standing
from spiderpool.kube.api import Client
from spiderpool.types.address import Address, Family, contains
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.metadata import Route
from spiderpool.types.names import IfName, NodeName, PodUID, PoolName

log = logging.getLogger(__name__)

ASIDE_SECONDS = 600.0
"""How long an address that someone else uses is kept from everybody."""
WRITE_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class IpamService:
    """Claims and releases through one :class:`PoolWriter` a pool; ``families`` are those that
    the cluster uses, ``node`` is the one served, to be told apart from others."""

    client: Client
    sources: Sources
    families: frozenset[Family] = frozenset(Family)
    node: NodeName | None = None
    now: Callable[[], float] = time.time
    counters: Counters = field(default_factory=Counters)
    probed: set[Attachment] = field(default_factory=set)
    """NICs of which nobody else has the addresses, until the coordinator has been told."""
    _writers: dict[PoolName, PoolWriter] = field(default_factory=dict, init=False)
    _subnets: SubnetRules = field(init=False)

    def __post_init__(self) -> None:
        self._subnets = SubnetRules(self.client, self.sources, self.families)

    async def claim(self, pod: Pod, holder: Slot, conf: IpamConf, seconds: float) -> NicGrant:
        """Addresses for the NIC that ``holder`` names; those it has already stay.

        Raises:
            BadInput: an annotation, pool or configuration cannot be used.
            NoAddress: no pool has anything for it; the text says why of each.
            CniError: code 11, when the API did not answer in time.
        """
        app = await self._subnets.application(pod)
        while True:
            version = self.sources.pools_version
            try:
                return await self._claim(pod, app, holder, conf, seconds)
            except NoAddress:
                if app is None or not await self._subnets.grown(version):
                    raise

    async def _claim(
        self, pod: Pod, app: Application | None, holder: Slot, conf: IpamConf, seconds: float
    ) -> NicGrant:
        asked, clean = await self._asked(pod, app, holder, conf)
        routes = self._routes(pod)
        tasks = [asyncio.create_task(self._one(choice, pod, holder, seconds)) for choice in asked]
        try:
            await _all_or_none(tasks)
        except BaseException:
            self.give_back(_results(tasks))
            raise
        grants = _results(tasks)
        return NicGrant(owner_of(holder).nic, grants, routes_here(routes, grants), clean)

    async def _asked(
        self, pod: Pod, app: Application | None, holder: Slot, conf: IpamConf
    ) -> tuple[tuple[Choice, ...], bool]:
        """By family, whom the NIC asks, and whether it gets no default route. What it holds
        stays, also where the rules cannot be followed any more.

        Raises:
            BadInput, CniError: as :meth:`claim`.
            NoAddress: there is nobody to ask, in whichever family.
        """
        nic, pools, ledger = owner_of(holder).nic, self.sources.pools, self.sources.ledger
        kept = standing(holder, ledger, pools)
        situation = self.sources.situation(pod, nic, conf, app)
        try:
            rule = await self._subnets.rule(app, pod, nic) if app else wanted(situation, pools)
            asked = choices(situation, of_families(rule, self.families), pools)
        except (BadInput, NoAddress) as problem:
            if not kept:
                raise
            log.warning("%s of %s keeps what it holds: %s", nic, pod.key, problem)
            return kept, conf.clean_gateway
        asked = with_standing(asked, kept)
        tries = (candidates(choice, pod, holder, ledger, pools).tries for choice in asked)
        without = [choice for choice, found in zip(asked, tries, strict=True) if not found]
        if without:
            raise NoAddress("; ".join(str(why_none(choice, nic, ())) for choice in without))
        return asked, conf.clean_gateway if rule.clean_gateway is None else rule.clean_gateway

    async def release(self, entries: Iterable[Entry], seconds: float) -> None:
        """Give addresses back, each as its slot was seen: one that changed since stays.

        Raises:
            CniError: code 11, when the API did not answer in time.
        """
        await asyncio.gather(*(self._release(entry, seconds) for entry in entries))

    async def set_aside(self, entry: Entry, seconds_aside: float, seconds: float) -> None:
        """Keep an address from everybody, because a host that we do not know answers for it.
        Its owner gets another one when it asks again.

        Raises:
            CniError: code 11, when the API did not answer in time.
        """
        ask = SetAside(entry.address, owner_of(entry.slot), seconds_aside)
        await self._writer(entry.slot.pool or PoolName("")).submit(ask, seconds)

    async def settle_conflict(self, pod: str, nic: IfName, address: Address) -> Fate:
        """Set an address aside that the NIC of ``pod`` (``namespace/name``) holds and somebody
        else has, unless a keeper wants this very one.

        Raises:
            CniError: code 11, when the API did not answer in time.
        """
        named = (entry for entry in self.sources.ledger.named(pod) if entry.address == address)
        held = (e for e in named if e.slot.nic == nic and e.slot.state is SlotState.HELD)
        entry = next(held, None)
        fate = fate_of(entry)
        if entry is not None and fate is Fate.SET_ASIDE:
            await self.set_aside(entry, ASIDE_SECONDS, WRITE_SECONDS)
        return fate

    def held_by(self, uid: PodUID) -> list[Entry]:
        """What all NICs of a pod hold."""
        found = self.sources.ledger.of_pod(uid)
        return [entry for entry in found if entry.slot.state is SlotState.HELD]

    def give_back(self, grants: Iterable[Grant]) -> None:
        """Free, without waiting, what was granted to somebody who will not be told of it."""
        for grant in grants:
            if grant.change is not None:
                self._writer(grant.pool.name).give_back(grant.change)

    async def close(self) -> None:
        """Stop writing; whoever waits is told to try again."""
        await asyncio.gather(*(writer.close() for writer in self._writers.values()))

    def _writer(self, pool: PoolName) -> PoolWriter:
        if pool not in self._writers:
            self._writers[pool] = PoolWriter(
                client=self.client,
                blocks=self.sources.caches.blocks,
                ledger=self.sources.ledger,
                pool=pool,
                ground=lambda: self.sources.ground(pool),
                now=self.now,
                counters=self.counters,
                traffic=Traffic(lambda: self.sources.rank(self.node)),
            )
        return self._writers[pool]

    async def _one(self, choice: Choice, pod: Pod, holder: Slot, seconds: float) -> Grant:
        """One address of one family, from the first that gives."""
        asked = candidates(choice, pod, holder, self.sources.ledger, self.sources.pools)
        await self.release(asked.surrendered, seconds)
        refused = []
        for pool, heir_of in asked.tries:
            outcome = await self._writer(pool.name).submit(Claim(holder, heir_of), seconds)
            if isinstance(outcome, Change):
                return Grant(outcome.address, pool, outcome)
            assert isinstance(outcome, Skipped), "a claim is written or refused"
            refused.append(outcome)
        raise why_none(choice, owner_of(holder).nic, refused)

    def _routes(self, pod: Pod) -> tuple[Route, ...]:
        """The pod's own routes; each gateway must lie in the subnet of some pool."""
        routes = read_routes(pod.annotations, f"Pod {pod.key}")
        subnets = {p.subnet for p in self.sources.pools.values() if isinstance(p, Pool)}
        for route in routes:
            if not any(contains(subnet, route.gw) for subnet in subnets):
                raise BadInput(
                    place(f"Pod {pod.key}", ROUTES),
                    f"route {route.dst} via {route.gw}: the gateway is in no pool's subnet",
                    "name a gateway that one of the pod's NICs can reach",
                )
        return routes

    async def _release(self, entry: Entry, seconds: float) -> None:
        slot = entry.slot
        ask = Release(entry.address, owner_of(slot), slot.generation)
        await self._writer(slot.pool or PoolName("")).submit(ask, seconds)


async def _all_or_none(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Returns when all are done; the first failure ends the others, and is raised.

    A TaskGroup would leave the caller marked as cancelled (Python 3.11.2), so that no timeout
    of it ended in TimeoutError any more.
    """
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _results(tasks: Iterable[asyncio.Task[Grant]]) -> tuple[Grant, ...]:
    """Of tasks that have ended, what those returned that did not fail."""
    return tuple(t.result() for t in tasks if not t.cancelled() and t.exception() is None)
