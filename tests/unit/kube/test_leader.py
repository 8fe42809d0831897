"""Leader election, with the timing of real life on a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from warped_time import run_warped as run

from spiderpool.kube.api import Object
from spiderpool.kube.leader import Election, Timing
from spiderpool.kube.resources import LEASE
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import Fault, FaultyClient, nothing

DURATION = Timing().duration


class SlowToAnswer(FakeClient):
    """Writes at once, and says so ``late`` seconds later."""

    late = 0.0

    async def create(self, *args: Any, **options: Any) -> Object:
        return await self._answered(super().create(*args, **options))

    async def update(self, *args: Any, **options: Any) -> Object:
        return await self._answered(super().update(*args, **options))

    async def _answered(self, write: Awaitable[Object]) -> Object:
        written, late = await write, self.late
        await asyncio.sleep(late)
        return written


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


def test_a_renewal_is_one_request() -> None:
    async def scene() -> None:
        faulty = FaultyClient(FakeClient())
        first = candidate(faulty, "a")
        await first.acquired()
        leading = asyncio.ensure_future(first.lost())
        faulty.requests.clear()
        await asyncio.sleep(Timing().retry * 10 + 0.1)
        assert [request.verb for request in faulty.requests] == ["update"] * 10
        await faulty.delete(LEASE, "lead", "kube-system")
        await asyncio.sleep(Timing().retry * 2 + 0.1)
        assert faulty.requests[-1].verb == "create"
        assert not leading.done()
        leading.cancel()

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


def test_a_leader_stops_before_another_may_start_however_late_answers_are() -> None:
    """Others count from the write, so the leader may not count from its late answer."""

    async def scene() -> None:
        api = SlowToAnswer()
        faulty = FaultyClient(api)
        first = candidate(faulty, "a")
        await first.acquired()
        api.late = Timing().renew_deadline - Timing().retry - 0.1
        leading = asyncio.ensure_future(first.lost())
        await asyncio.sleep(Timing().retry + 0.1)
        faulty.down, api.late = True, 0.0
        await candidate(api, "b").acquired()
        assert leading.done()

    run(scene)


def test_a_lease_whose_answer_came_too_late_is_no_lead() -> None:
    async def scene() -> None:
        api = SlowToAnswer()
        api.late = DURATION * 2
        first = asyncio.ensure_future(candidate(api, "a").acquired())
        await asyncio.sleep(DURATION)
        api.late = 0.0
        second = candidate(api, "b")
        await second.acquired()
        leading = asyncio.ensure_future(second.lost())
        await asyncio.sleep(DURATION * 3)
        assert not first.done()
        assert not leading.done()
        first.cancel()
        leading.cancel()

    run(scene)


def test_a_lease_is_given_back_after_a_renewal_without_an_answer() -> None:
    async def scene() -> None:
        api = SlowToAnswer()
        first = candidate(api, "a")
        await first.acquired()
        api.late = 60.0
        leading = asyncio.ensure_future(first.lost())
        await asyncio.sleep(Timing().retry + 1)
        leading.cancel()
        api.late = 0.0
        await first.release()
        assert await holder(api) == ""

    run(scene)


def test_giving_back_does_not_wait_for_a_server_that_is_away() -> None:
    async def scene() -> None:
        faulty = FaultyClient(FakeClient())
        first = candidate(faulty, "a")
        await first.acquired()
        faulty.delay = 3600.0
        await asyncio.wait_for(first.release(), DURATION)

    run(scene)


def test_a_lease_without_a_spec_is_free() -> None:
    async def scene() -> None:
        api = FakeClient([(LEASE, {"metadata": {"name": "lead", "namespace": "kube-system"}})])
        faulty = FaultyClient(api)
        faulty.inject(Fault.CONFLICT)
        await candidate(faulty, "a").acquired()
        assert await holder(api) == "a"

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


def test_a_lease_that_may_not_be_touched_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        api = FaultyClient(FakeClient())
        api.forbidden = lambda request: request.verb == "create"
        waiting = asyncio.ensure_future(candidate(api, "a").acquired())
        await asyncio.sleep(5 * Timing().retry)
        assert not waiting.done()
        api.forbidden = nothing
        await waiting

    run(scene)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert told == [
        'lease kube-system/lead: leases is forbidden: User "me" cannot create resource "leases"'
    ]
