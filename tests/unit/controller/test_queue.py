"""The queue of keys to reconcile."""

from __future__ import annotations

import asyncio

import pytest

from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import BadInput, Conflict, KubeError


def test_others_have_their_turn_while_there_is_much_to_do() -> None:
    """A leader that cannot renew its lease meanwhile would lose it, start again, and so on."""

    async def main() -> None:
        turns: list[int] = []
        done: list[int] = []

        async def reconcile(key: int) -> None:
            done.append(key)

        queue = WorkQueue("numbers", reconcile)
        for key in range(10):
            queue.add(key)
        work = asyncio.ensure_future(queue.run())
        while len(done) < 10:
            turns.append(len(done))
            await asyncio.sleep(0)
        assert turns == list(range(10))
        work.cancel()

    asyncio.run(main())


def test_a_key_that_comes_while_it_is_worked_on_is_worked_on_again() -> None:
    async def main() -> None:
        seen: list[str] = []

        async def reconcile(key: str) -> None:
            seen.append(key)
            if len(seen) == 1:
                queue.add(key)

        queue = WorkQueue("words", reconcile)
        queue.add("a")
        work = asyncio.ensure_future(queue.run())
        async with asyncio.timeout(5):
            while len(seen) < 2:
                await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert seen == ["a", "a"]
        work.cancel()

    asyncio.run(main())


def test_what_the_api_refused_comes_back_and_what_a_user_wrote_waits() -> None:
    async def main() -> None:
        seen: list[str] = []

        async def reconcile(key: str) -> None:
            seen.append(key)
            if key == "wrong":
                raise BadInput("spec.ips", "is no range")
            if seen.count(key) < 3:
                raise (Conflict(409, "Conflict", "changed") if len(seen) % 2 else ValueError("bug"))

        queue = WorkQueue("words", reconcile)
        for key in ("wrong", "late"):
            queue.add(key)
        work = asyncio.ensure_future(queue.run())
        async with asyncio.timeout(5):
            while seen.count("late") < 3:
                await asyncio.sleep(0.001)
        assert seen.count("wrong") == 1
        work.cancel()

    asyncio.run(main())


def test_one_refusal_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        seen: list[str] = []

        async def reconcile(key: str) -> None:
            seen.append(key)
            if len(seen) < 4:
                raise KubeError(403, "Forbidden", "pools is forbidden")

        queue = WorkQueue("pools", reconcile)
        queue.add("a")
        work = asyncio.ensure_future(queue.run())
        async with asyncio.timeout(5):
            while len(seen) < 4:
                await asyncio.sleep(0.001)
        work.cancel()

    with caplog.at_level("INFO"):
        asyncio.run(main())
    told = [record.message for record in caplog.records]
    assert told == ["pools: a: pools is forbidden", "pools: a: done at last"]
