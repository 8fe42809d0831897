"""Group commit: rounds, refusals, deadlines, and askers that have gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ipam_world import any_block_write

from spiderpool.agent.ipam_writer import CALM_SECONDS, MOST_LANES, Traffic
from spiderpool.errors import CniCode, CniError, KubeError
from spiderpool.ipam.allocation import Claim, Lane
from spiderpool.ipam.blocks import SIZE
from spiderpool.kube.resources import SPIDERENDPOINT, SPIDERIPBLOCK
from spiderpool.testing.kubefaults import Fault
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, PodUID, PoolName


def claim(pod: str) -> Claim:
    uid = PodUID(pod)
    return Claim(Slot(state=SlotState.HELD, pod=f"default/{pod}", pod_uid=uid, nic=IfName("net1")))


def block_writes(agent: Any) -> list[str]:
    return [
        request.verb
        for request in agent.client.requests
        if request.resource == SPIDERIPBLOCK and request.verb in ("create", "patch")
    ]


async def until_one_is_under_way(agent: Any) -> None:
    while not block_writes(agent):
        await asyncio.sleep(0)


async def start(world: Any) -> None:
    await world.pool("a", "10.6.0.1-10.6.0.200")


def test_what_is_asked_during_a_write_rides_in_the_next_in_its_order(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            writer = agent.service._writer(PoolName("a"))
            agent.client.delay = 0.01
            first = asyncio.create_task(writer.submit(claim("p0"), 5))
            await until_one_is_under_way(agent)
            others = [asyncio.create_task(writer.submit(claim(f"p{n}"), 5)) for n in range(1, 9)]
            answers = await asyncio.gather(first, *others)
            assert [a.address for a in answers] == [f"10.6.0.{n}" for n in range(1, 10)]
            assert block_writes(agent) == ["create", "patch"]

    play(story)


def test_who_has_gone_before_the_write_gets_nothing(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            writer = agent.service._writer(PoolName("a"))
            agent.client.delay = 0.01
            first = asyncio.create_task(writer.submit(claim("p0"), 5))
            await until_one_is_under_way(agent)
            gone = asyncio.create_task(writer.submit(claim("p1"), 5))
            last = asyncio.create_task(writer.submit(claim("p2"), 5))
            await asyncio.sleep(0)  # both wait behind the first
            gone.cancel()
            assert [(await first).address, (await last).address] == ["10.6.0.1", "10.6.0.2"]
            assert writer.counters.given_back == 0

    play(story)


def test_who_goes_during_the_write_gives_back_at_once(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            writer = agent.service._writer(PoolName("a"))
            agent.client.delay = 0.01
            gone = asyncio.create_task(writer.submit(claim("p0"), 5))
            await until_one_is_under_way(agent)
            gone.cancel()
            while len(block_writes(agent)) < 2 or writer.counters.given_back < 1:
                await asyncio.sleep(0.001)
            while (await world.ledger()).slot("10.6.0.1").state is not None:
                await asyncio.sleep(0.001)
            assert writer.counters.given_back == 1
            slot = (await world.ledger()).slot("10.6.0.1")
            assert (slot.state, slot.generation) == (None, 2)

    play(story)


@pytest.mark.parametrize("fault", list(Fault))
def test_a_write_that_fails_is_decided_again(play: Any, fault: Fault) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            writer = agent.service._writer(PoolName("a"))
            agent.client.inject(fault, 3, any_block_write)
            given = await writer.submit(claim("p0"), 5)
            assert len(block_writes(agent)) >= 4
            (held,) = (await world.ledger()).entries()
            assert held.address == given.address
            if fault is Fault.CONFLICT:
                assert writer.counters.refused == 3
            elif fault is not Fault.LATE:  # such a write may be in the way of the one that follows
                assert writer.counters.refused == 0

    play(story)


def test_agents_that_write_one_block_at_once_share_it(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        nodes = [f"worker{n}" for n in range(4)]
        async with (
            world.agent(nodes[0]) as one,
            world.agent(nodes[1]) as two,
            world.agent(nodes[2]) as three,
        ):
            agents = (one, two, three)
            asks = [
                agent.service._writer(PoolName("a")).submit(claim(f"{at}-{n}"), 10)
                for n in range(12)
                for at, agent in enumerate(agents)
            ]
            answers = await asyncio.gather(*asks)
            assert len({answer.address for answer in answers}) == 36
            assert any(agent.service.counters.refused for agent in agents)

    play(story)


def test_without_an_api_the_deadline_ends_the_wait(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            agent.client.down = True
            with pytest.raises(CniError, match=r"IPPool a could not be written: .*refused") as late:
                await agent.service._writer(PoolName("a")).submit(claim("p0"), 0.05)
            assert late.value.code is CniCode.TRY_AGAIN_LATER

    play(story)


def test_a_forbidden_write_is_told_at_once(play: Any) -> None:
    class Forbids:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def create(self, resource: Any, obj: Any, **more: Any) -> Any:
            if resource == SPIDERENDPOINT:
                return await self._inner.create(resource, obj, **more)
            raise KubeError(403, "Forbidden", "spideripblocks is forbidden")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            agent.client.replace(Forbids(world.api))
            with pytest.raises(KubeError, match="spideripblocks is forbidden"):
                await agent.service._writer(PoolName("a")).submit(claim("p0"), 5)

    play(story)


def test_closing_answers_everybody(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world)
        async with world.agent() as agent:
            writer = agent.service._writer(PoolName("a"))
            agent.client.delay = 1
            asks = [asyncio.create_task(writer.submit(claim(f"p{n}"), 5)) for n in range(3)]
            await asyncio.sleep(0.005)
            asks.append(asyncio.create_task(writer.submit(claim("late"), 5)))
            await asyncio.sleep(0)
            await writer.close()
            answers = await asyncio.gather(*asks, return_exceptions=True)
            assert all("the agent is stopping" in str(answer) for answer in answers)

    play(story)


def test_lanes_open_by_refusals_in_a_row_and_close_in_the_calm() -> None:
    traffic = Traffic()
    traffic.refused(0)
    assert traffic.lane == Lane()
    traffic.passed(0)
    traffic.refused(0)
    assert traffic.lane == Lane(), "one refusal between successes is no crowd"
    for _ in range(10):
        traffic.refused(0)
    assert traffic.lane.count == MOST_LANES
    traffic.passed(CALM_SECONDS - 1)
    assert traffic.lane.count == MOST_LANES
    traffic.passed(CALM_SECONDS)
    assert traffic.lane.count == MOST_LANES / 2
    traffic.passed(CALM_SECONDS * 20)
    assert traffic.lane == Lane()


def test_agents_of_different_rank_get_different_lanes() -> None:
    found = set()
    for rank in range(8):
        traffic = Traffic(lambda rank=rank: rank)  # type: ignore[misc]
        for _ in range(3):
            traffic.refused(0)
        found.add(traffic.lane)
    assert found == {Lane(number, 16) for number in range(8)}


def test_agents_whose_ranks_fall_together_part_by_luck() -> None:
    traffic = Traffic(lambda: 64)
    seen = set()
    for _ in range(60):
        traffic.refused(0)
        seen.add(traffic.lane.number)
    assert len(seen) > 1


@pytest.mark.parametrize("blocks", [1, 8, 1000])
@pytest.mark.parametrize("count", [1, 2, 4, 8, 32])
def test_lanes_part_all_addresses_among_them(count: int, blocks: int) -> None:
    for base in range(0, SIZE * 16, SIZE):
        places = [Lane(number, count).places(base, blocks) for number in range(count)]
        assert sum(places) == (1 << SIZE) - 1
        assert sum(bin(mask).count("1") for mask in places) == SIZE


def test_lanes_have_whole_blocks_where_there_are_enough() -> None:
    full = (1 << SIZE) - 1
    assert [Lane(1, 4).places(SIZE * n, 4) for n in range(4)] == [0, full, 0, 0]
    assert all(0 < Lane(1, 4).places(SIZE * n, 3) < full for n in range(4))
