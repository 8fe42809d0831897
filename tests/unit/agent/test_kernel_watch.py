"""What the agent knows of its kernel role, and when."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from spiderpool.agent.kernel_watch import KernelWatch
from spiderpool.kernel.server import Server, listen


class Caches:
    """Others that are to be waited for."""

    async def synced(self) -> None:
        return

    def problems(self, plugin: str) -> list[str]:
        return [f"no pools for {plugin}"]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_kernel_role_comes_goes_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    watch = KernelWatch(path, Caches())
    missing = [f"the kernel role at {path} does not answer", "no pools for spiderpool"]

    async def scenario() -> None:
        running = asyncio.create_task(watch.run())
        assert watch.problems("spiderpool") == missing
        for _ in range(2):
            with listen(path) as listener:
                connection = (await asyncio.to_thread(listener.accept))[0]
                await asyncio.wait_for(watch.there(), 10)
                assert watch.problems("spiderpool") == missing[1:]
            connection.close()
            await until(lambda: watch.problems("spiderpool") == missing)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def test_one_that_serves_somebody_else_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "sock"
    server = Server(path, os.getuid() + 1)
    server.start()

    async def scenario() -> None:
        watch = KernelWatch(path, Caches())
        running = asyncio.create_task(watch.run())
        await until(lambda: "does not serve this user" in caplog.text)
        assert len(watch.problems("spiderpool")) == 2
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
    server.stop(patience=5)


def test_without_a_socket_it_is_this_process() -> None:
    watch = KernelWatch(None, Caches())

    async def scenario() -> None:
        await watch.run()
        await watch.there()

    asyncio.run(scenario())
    assert watch.problems("spiderpool") == ["no pools for spiderpool"]
