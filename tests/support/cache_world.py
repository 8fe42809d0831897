"""A cache of ConfigMaps on the fake API, and what stands between the two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from spiderpool.kube.api import Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.informer import WatchedCache
from spiderpool.kube.resources import CONFIGMAP
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import FaultyClient


def config_map(name: str, **data: str) -> Object:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


class World:
    """A fake API, a client that breaks, and a cache that is kept by it."""

    def __init__(self) -> None:
        self.api = FakeClient()
        self.faulty = FaultyClient(self.api)
        self.cache = WatchedCache(
            self.faulty, CONFIGMAP, "default", backoff=Backoff(first=0.001, most=0.002)
        )
        self.told: list[tuple[str, str]] = []
        self.cache.subscribe(self._note)

    def _note(self, old: Object | None, new: Object | None) -> None:
        word = "added" if old is None else "deleted" if new is None else "changed"
        self.told.append((word, (new or old or {})["metadata"]["name"]))

    def names(self) -> list[str]:
        return sorted(obj["metadata"]["name"] for obj in self.cache.all())

    def count(self, verb: str) -> int:
        return sum(request.verb == verb for request in self.faulty.requests)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.001)


def run(scenario: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World()
        keeping = asyncio.create_task(world.cache.run())
        try:
            await scenario(world)
            assert not keeping.done()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    asyncio.run(main())
