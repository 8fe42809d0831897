"""Threads that are never left behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from spiderpool.agent.threads import in_thread


def test_value_and_error_come_back() -> None:
    def fails() -> None:
        raise OSError("no")

    async def main() -> None:
        assert await in_thread(divmod, 7, 2) == (3, 1)
        with pytest.raises(OSError, match="no"):
            await in_thread(fails)

    asyncio.run(main())


def test_a_cancel_is_raised_after_the_function_has_ended() -> None:
    began, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(10)
        ended.set()

    async def main() -> None:
        task = asyncio.create_task(in_thread(work))
        await asyncio.to_thread(began.wait, 10)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(main())
