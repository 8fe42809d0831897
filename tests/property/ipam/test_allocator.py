"""The allocator against a plain model, under conflicts, lost replies, crashes and time.

The model is a dictionary: what each NIC was promised. No address is ever promised twice, a
promise stands in the API before it is told, nothing that was promised gets lost, and when
every pod has gone, every address comes back. ``SPIDERPOOL_PROPERTY_EXAMPLES`` asks for more.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from ipam_world import Agent, World, any_block_write, collector_of

from spiderpool.controller.collector import Collector
from spiderpool.errors import CniCode, NoAddress, SpiderpoolError
from spiderpool.ipam.blocks import seconds
from spiderpool.ipam.invariants import Evidence, Rule, changes, problems
from spiderpool.ipam.ledger import Ledger, Owner, owner_of
from spiderpool.kube.api import Object
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import POD, SPIDERIPBLOCK, SPIDERIPPOOL
from spiderpool.testing.kubefaults import (
    LATE_SECONDS,
    Fault,
    FaultyClient,
    Request,
    any_write,
)
from spiderpool.types.address import Address, address_of
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, PodUID

T = TypeVar("T")

NODES = ("worker01", "worker02")
PODS = tuple(f"default/p{number}" for number in range(6))
NICS = ("net1", "net2")
GROUNDS = (
    ("10.6.0.30", "10.6.0.31", "10.6.0.33", "10.6.0.34"),
    tuple(f"10.6.0.{number}" for number in range(64, 70)),
)
POOLS = {"default_ipv4_ippool": ["small", "large"]}
TRIED: Counter[str] = Counter()
BROKEN = {Rule.BLOCK, Rule.SIZE, Rule.RECORD, Rule.ONE_ADDRESS, Rule.GROUND, Rule.GENERATION}

pods, nics, nodes = st.sampled_from(PODS), st.sampled_from(NICS), st.sampled_from(NODES)
Nic = tuple[str, str]


def any_read(request: Request) -> bool:
    return request.verb == "get"


class Cluster(RuleBasedStateMachine):
    """Two nodes whose agents share two pools, and a collector; pods come, go, and come back by
    name."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = World()
        self.agents: dict[str, Agent] = {}
        self.uids: dict[str, str] = {}
        self.at: dict[str, str] = {}
        self.sandboxes: Counter[Nic] = Counter()
        self.promised: dict[tuple[str, str], str] = {}
        self.undone: list[tuple[str, str, str, str, str]] = []
        self.blocks: Sequence[Mapping[str, Any]] = ()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def limited() -> T:
            async with asyncio.timeout(60):
                return await work

        return self.loop.run_until_complete(limited())

    @initialize()
    def start(self) -> None:
        self.run(self.world.pool("small", "10.6.0.30-10.6.0.34", excludeIPs=["10.6.0.32"]))
        self.run(self.world.pool("large", "10.6.0.64-10.6.0.69"))
        for node in NODES:
            self.run(self._boot(node))
        self.collector, self.moment = self.run(self._collector()), 0.0
        for key, node in zip(PODS, NODES * len(PODS), strict=False):
            self.create_pod(key, node)

    async def _boot(self, node: str) -> None:
        self.agents[node] = Agent(self.world, node)
        await self.agents[node].informers.synced()

    async def _collector(self) -> Collector:
        self.watching = Informers(FaultyClient(self.world.api))
        found = collector_of(self.watching, lambda: self.world.now)
        await self.watching.synced()
        return found

    # What happens in a cluster

    @rule(key=pods, node=nodes)
    def create_pod(self, key: str, node: str) -> None:
        if key not in self.uids:
            TRIED["pod created"] += 1
            self.at[key] = node
            self.uids[key] = self.run(self.world.pod(key, node))

    @rule(nics=st.lists(st.tuples(pods, nics), min_size=1, max_size=10, unique=True))
    def add(self, nics: list[Nic]) -> None:
        """ADDs at the same time, in new sandboxes."""
        self.run(self._add_all([nic for nic in nics if nic[0] in self.uids]))

    @rule(key=pods, nic=nics)
    def sandbox_dies(self, key: str, nic: str) -> None:
        """DEL of a pod that lives on."""
        if key in self.uids and self.sandboxes[key, nic]:
            TRIED["DEL, pod lives"] += 1
            self.run(self._del(key, nic, self.uids[key], self._container(key, nic), self.at[key]))

    @rule(key=pods, torn_down=st.booleans())
    def delete_pod(self, key: str, torn_down: bool) -> None:
        """The pod object goes; a DEL follows at once, or much later."""
        if key in self.uids:
            self.run(self._delete_pod(key, torn_down))

    @rule(key=pods, nic=nics)
    def stale_del(self, key: str, nic: str) -> None:
        """A DEL of an older sandbox comes late."""
        if key in self.uids and self.sandboxes[key, nic] > 1:
            TRIED["DEL, stale sandbox"] += 1
            self.run(self._del(key, nic, self.uids[key], f"{key[8:]}-{nic}-1", self.at[key]))

    @rule(seconds=st.sampled_from([1.0, 29.0, 31.0, -3600.0]))
    def time_passes(self, seconds: float) -> None:
        TRIED["clock moved"] += 1
        self.world.now += seconds

    @rule()
    def late_dels_come(self) -> None:
        undone, self.undone = self.undone, []
        for call in undone:
            TRIED["DEL, late"] += 1
            self.run(self._del(*call))

    @rule()
    def collector_looks(self) -> None:
        TRIED["collector looked"] += 1
        self.moment += 25
        self.run(self.collector.look(self.moment))

    @rule(
        node=nodes,
        steps=st.integers(0, 20),
        nics=st.lists(st.tuples(pods, nics), max_size=4, unique=True),
    )
    def agent_is_updated(self, node: str, steps: int, nics: list[Nic]) -> None:
        """Callers whom the old agent has not answered ask its successor; then it ends."""
        TRIED["agent updated"] += 1
        mine = [nic for nic in nics if self.at.get(nic[0]) == node and nic[0] in self.uids]
        self.run(self._update(node, steps, mine))

    # What goes wrong

    @rule(
        node=nodes,
        fault=st.sampled_from(list(Fault)),
        times=st.integers(1, 3),
        on=st.sampled_from([any_block_write, any_write, any_read]),
    )
    def api_fails(self, node: str, fault: Fault, times: int, on: Any) -> None:
        if fault is not Fault.CONFLICT or on is not any_read:
            TRIED[f"fault: {fault.name}"] += times
            self.agents[node].client.inject(fault, times, on)

    @rule(key=pods)
    def collector_loses_sight(self, key: str) -> None:
        """Its cache has not got a pod that lives."""
        TRIED["fault: pod not in cache"] += 1
        self.collector._watched.pods._objects.pop(("default", key[8:]), None)  # type: ignore[attr-defined]

    @rule(node=nodes, steps=st.integers(0, 9))
    def api_is_slow(self, node: str, steps: int) -> None:
        """For one agent: so requests of two overtake each other."""
        self.agents[node].client.steps = steps

    @rule(forgets=st.booleans())
    def watches_end(self, forgets: bool) -> None:
        """Some time, or with 410 where a watch is behind."""
        TRIED["fault: watches ended"] += 1
        self.run(self.world.api.forget_history() if forgets else self.world.api.end_watches())

    @rule(
        node=nodes,
        ticks=st.integers(0, 12),
        nics=st.lists(st.tuples(pods, nics), max_size=4, unique=True),
    )
    def agent_dies(self, node: str, ticks: int, nics: list[Nic]) -> None:
        """kill -9 in the middle of ADDs; a new agent comes up."""
        TRIED["fault: agent killed"] += 1
        mine = [nic for nic in nics if self.at.get(nic[0]) == node and nic[0] in self.uids]
        self.run(self._kill(node, ticks, mine))

    @rule(ticks=st.integers(0, 8), key=pods, nic=nics)
    def caller_hangs_up(self, ticks: int, key: str, nic: str) -> None:
        """kubelet gives an ADD up in the middle."""
        if key in self.uids:
            TRIED["fault: caller gone"] += 1
            self.run(self._hang_up(ticks, key, nic))

    # The rules

    @invariant()
    def nothing_is_broken(self) -> None:
        evidence = Evidence(
            blocks=self._list(SPIDERIPBLOCK), pools=self._list(SPIDERIPPOOL), statuses=False
        )
        found = problems(evidence) + changes(self.blocks, evidence.blocks)
        assert not [str(problem) for problem in found if problem.rule in BROKEN]
        self.blocks = evidence.blocks

    @invariant()
    def promises_are_kept(self) -> None:
        ledger = Ledger(self._list(SPIDERIPBLOCK))
        assert len(set(self.promised.values())) == len(self.promised)
        for (uid, nic), address in self.promised.items():
            slot = ledger.slot(Address(address))
            assert slot is not None
            assert (slot.state, slot.pod_uid, slot.nic) == (SlotState.HELD, uid, nic)

    def teardown(self) -> None:
        """Everything ends, the API is well again: every address comes back."""
        try:
            if self.agents:
                for key in list(self.uids):
                    self.run(self._delete_pod(key, torn_down=True))
                for _ in range(3):
                    self.late_dels_come()
                for node in NODES:
                    self.run(self._kill(node, 0, []))
                self.run(asyncio.sleep(2 * LATE_SECONDS))
                for _ in range(3):
                    self.run(self.world.settle())
                    self.collector_looks()
                entries = self.run(self.world.ledger()).entries()
                assert not [e.address for e in entries if e.slot.state is SlotState.HELD]
        finally:
            for agent in self.agents.values():
                self.run(agent.close())
            if self.agents:
                self.run(self.watching.close())
            self.loop.close()

    # How it is done

    def _list(self, resource: Any) -> list[Object]:
        answer = self.run(self.world.api.list(resource))
        return list(answer["items"])

    def _container(self, key: str, nic: str) -> str:
        return f"{key[8:]}-{nic}-{self.sandboxes[key, nic]}"

    async def _add_all(self, nics: list[Nic]) -> None:
        before = await self.world.ledger()
        for nic in nics:
            self.sandboxes[nic] += 1
        answers = await asyncio.gather(*(self._add(*nic) for nic in nics))
        for (key, name), address in zip(nics, answers, strict=True):
            if address is not None:
                self._promise(self.uids[key], name, address, before, alone=len(nics) == 1)

    async def _add(self, key: str, nic: str) -> str | None:
        TRIED["ADD"] += 1
        agent = self.agents[self.at[key]]
        try:
            (address,) = await agent.add(
                key, nic=nic, container=self._container(key, nic), uid=self.uids[key], ipam=POOLS
            )
        except NoAddress:
            TRIED["ADD, pools full"] += 1
            assert (self.uids[key], nic) not in self.promised
            return None
        return address_of(address)

    def _promise(self, uid: str, nic: str, address: str, before: Ledger, alone: bool) -> None:
        assert self.promised.get((uid, nic), address) == address, "a NIC's address changed"
        self.promised[uid, nic] = address
        slot = before.slot(Address(address))
        if (
            alone
            and slot is not None
            and self._rests(slot)
            and owner_of(slot) != Owner(PodUID(uid), IfName(nic))
        ):
            TRIED["cool-down cut short, pool full"] += 1
            pool = next(ground for ground in GROUNDS if address in ground)
            assert all(self._is_busy(before, other) for other in pool)

    def _rests(self, slot: Slot) -> bool:
        return slot.state is SlotState.COOLING and seconds(slot.until) > self.world.now

    def _is_busy(self, ledger: Ledger, address: str) -> bool:
        slot = ledger.slot(Address(address))
        return slot is not None and (slot.state is SlotState.HELD or self._rests(slot))

    async def _del(self, key: str, nic: str, uid: str, container: str, node: str) -> None:
        TRIED["DEL"] += 1
        try:
            await self.agents[node].call("DEL", key, nic=nic, uid=uid, container=container)
        except SpiderpoolError as exc:
            assert exc.code is CniCode.TRY_AGAIN_LATER
            self.undone.append((key, nic, uid, container, node))

    async def _delete_pod(self, key: str, torn_down: bool) -> None:
        TRIED["pod deleted"] += 1
        uid, node = self.uids.pop(key), self.at.pop(key)
        for nic in NICS:
            self.promised.pop((uid, nic), None)
        await self.world.api.delete(POD, key[8:], "default", grace_seconds=0)
        for nic in NICS:
            for number in range(1, self.sandboxes[key, nic] + 1):
                call = (key, nic, uid, f"{key[8:]}-{nic}-{number}", node)
                if torn_down:
                    await self._del(*call)
                else:
                    self.undone.append(call)

    async def _update(self, node: str, steps: int, nics: list[Nic]) -> None:
        old = self.agents[node]
        await self._boot(node)
        self.agents[node], new = old, self.agents[node]
        for nic in nics:
            self.sandboxes[nic] += 1
        calls = {nic: asyncio.create_task(self._add(*nic)) for nic in nics}
        for _ in range(steps):
            await asyncio.sleep(0)
        self.agents[node] = new
        given_up = [nic for nic, call in calls.items() if not call.done() and call.cancel()]
        again = [asyncio.create_task(self._add(*nic)) for nic in given_up]
        await asyncio.gather(*calls.values(), return_exceptions=True)
        answers = {nic: call.result() for nic, call in calls.items() if not call.cancelled()}
        answers |= dict(zip(given_up, await asyncio.gather(*again), strict=True))
        for (key, name), answer in answers.items():
            if answer is not None:
                self.promised[self.uids[key], name] = address_of(answer)
        await old.close()

    async def _kill(self, node: str, ticks: int, nics: list[Nic]) -> None:
        old = self.agents[node]
        for nic in nics:
            self.sandboxes[nic] += 1
        tasks = [asyncio.create_task(self._add(*nic)) for nic in nics]
        for _ in range(ticks):
            await asyncio.sleep(0)
        old.client.down = True
        for task in tasks:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for (key, name), answer in zip(nics, answers, strict=True):
            if isinstance(answer, str):
                self.promised[self.uids[key], name] = answer
        await old.close()
        await self._boot(node)

    async def _hang_up(self, ticks: int, key: str, nic: str) -> None:
        self.sandboxes[key, nic] += 1
        task = asyncio.create_task(self._add(key, nic))
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        (answer,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(answer, str):
            self.promised[self.uids[key], nic] = answer


SETTINGS = settings(
    max_examples=int(os.environ.get("SPIDERPOOL_PROPERTY_EXAMPLES", "40")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_allocator_keeps_its_promises() -> None:
    """Prints what was tried."""
    run_state_machine_as_test(Cluster, settings=SETTINGS)
    faults = sum(count for name, count in TRIED.items() if name.startswith("fault"))
    print(f"{sum(TRIED.values()) - faults} operations and {faults} faults: {dict(TRIED)}")
    assert faults
