"""Commands as users give them, against the in-memory API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ipam_world import World, play

from spiderpool.ctl import evidence
from spiderpool.ctl.main import main
from spiderpool.kube.resources import SPIDERENDPOINT

__all__ = ["play"]


@dataclass
class Shell:
    """A cluster to prepare, and commands about it."""

    world: World
    capsys: pytest.CaptureFixture[str]

    def prepare(self, story: Callable[[World], Awaitable[Any]]) -> Any:
        """Run a story, and end everything that it started."""

        async def limited() -> Any:
            async with asyncio.timeout(20):
                return await story(self.world)

        return asyncio.run(limited())

    def ctl(self, *words: str) -> tuple[int, str, str]:
        """Exit status, stdout and stderr of ``spiderpoolctl``."""
        status = main(words)
        told = self.capsys.readouterr()
        return status, told.out, told.err

    def states(self) -> dict[str, str]:
        """Of every address that has one, by address."""
        ledger = asyncio.run(self.world.ledger())
        return {e.address: str(e.slot.state) for e in ledger.entries()}

    def endpoints(self) -> list[str]:
        """Names of the SpiderEndpoints."""
        found = asyncio.run(self.world.api.list(SPIDERENDPOINT))["items"]
        return [obj["metadata"]["name"] for obj in found]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    world = World()
    monkeypatch.setattr(evidence, "connect", lambda kubeconfig: world.api)
    return Shell(world, capsys)
