"""The server while the kernel role, another process, is away; no privileges needed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from served_handler import World, request, run

from spiderpool.agent import server as server_module
from spiderpool.errors import CniCode, KernelRoleGone


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "KERNEL_PAUSE", 0.0)


@pytest.mark.parametrize(("command", "times"), [("ADD", 3), ("DEL", 1)])
def test_an_add_begins_again_with_the_next_one(tmp_path: Path, command: str, times: int) -> None:
    """A DEL is kept for later."""
    served: list[str] = []

    async def work(*_: object) -> dict[str, Any]:
        served.append(command)
        if len(served) < 3:
            raise KernelRoleGone("it has ended")
        return {}

    async def scenario(world: World) -> None:
        call = asyncio.create_task(world.call(request(command)))
        while not served:
            await asyncio.sleep(0.001)
        if command == "ADD":
            assert not call.done()
        world.readiness.kernel.set()
        assert await call == (0, None)
        assert len(served) == times
        assert len(world.postponed.saved) == (command == "DEL")

    run(tmp_path, scenario, work)


def test_one_that_stays_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "KERNEL_SECONDS", 0.05)

    async def work(*_: object) -> dict[str, Any]:
        raise KernelRoleGone("the kernel role at /x does not answer")

    async def scenario(world: World) -> None:
        status, answer = await world.call(request())
        assert (status, answer["code"]) == (1, CniCode.TRY_AGAIN_LATER)
        assert answer["msg"] == "the kernel role at /x does not answer"

    run(tmp_path, scenario, work)
