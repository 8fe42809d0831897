"""Leader election, with the timing of real life on a clock that jumps."""

from __future__ import annotations

import asyncio

from warped_time import run_warped as run

from spiderpool.kube.leader import Election, Timing
from spiderpool.kube.resources import LEASE
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import FaultyClient

DURATION = Timing().duration


def candidate(api: FakeClient | FaultyClient, name: str) -> Election:
    return Election(api, "kube-system", "lead", name)


async def holder(api: FakeClient) -> str:
    lease = await api.get(LEASE, "lead", "kube-system")
    return str(lease["spec"]["holderIdentity"])


def test_the_first_leads_and_a_second_waits_until_it_lets_go() -> None:
    async def scene() -> None:
        api = FakeClient()
        first, second = candidate(api, "a"), candidate(api, "b")
        await first.acquired()
        waiting = asyncio.ensure_future(second.acquired())
        await asyncio.sleep(DURATION - 1)
        assert not waiting.done()
        assert await holder(api) == "a"
        await first.release()
        await waiting
        lease = await api.get(LEASE, "lead", "kube-system")
        assert lease["spec"]["holderIdentity"] == "b"
        assert lease["spec"]["leaseTransitions"] == 1

    run(scene)


def test_a_lease_that_nobody_renews_is_taken_after_its_duration() -> None:
    async def scene() -> None:
        api = FakeClient()
        await candidate(api, "dead").acquired()
        loop = asyncio.get_running_loop()
        began = loop.time()
        await candidate(api, "b").acquired()
        assert loop.time() - began >= DURATION
        assert await holder(api) == "b"

    run(scene)


def test_a_leader_that_renews_is_not_overthrown() -> None:
    async def scene() -> None:
        api = FakeClient()
        first, second = candidate(api, "a"), candidate(api, "b")
        await first.acquired()
        leading = asyncio.ensure_future(first.lost())
        waiting = asyncio.ensure_future(second.acquired())
        await asyncio.sleep(DURATION * 3)
        assert not leading.done()
        assert not waiting.done()
        leading.cancel()
        waiting.cancel()

    run(scene)


def test_a_leader_stops_when_another_holds_the_lease() -> None:
    async def scene() -> None:
        api = FakeClient()
        first = candidate(api, "a")
        await first.acquired()
        leading = asyncio.ensure_future(first.lost())
        await api.patch(LEASE, "lead", {"spec": {"holderIdentity": "b"}}, "kube-system")
        await leading
        await first.release()
        assert await holder(api) == "b"

    run(scene)


def test_a_leader_that_cannot_renew_stops() -> None:
    async def scene() -> None:
        api = FakeClient()
        faulty = FaultyClient(api)
        first = candidate(faulty, "a")
        await first.acquired()
        faulty.down = True
        await first.lost()

    run(scene)


def test_a_request_that_hangs_does_not_outlast_the_deadline() -> None:
    async def scene() -> None:
        faulty = FaultyClient(FakeClient())
        first = candidate(faulty, "a")
        await first.acquired()
        faulty.delay = 60.0
        await first.lost()

    run(scene)


def test_of_two_that_start_at_once_one_leads() -> None:
    async def scene() -> None:
        api = FakeClient()
        both = [asyncio.ensure_future(candidate(api, name).acquired()) for name in "ab"]
        done, waiting = await asyncio.wait(both, timeout=DURATION - 1)
        assert len(done) == len(waiting) == 1
        for task in waiting:
            task.cancel()

    run(scene)
