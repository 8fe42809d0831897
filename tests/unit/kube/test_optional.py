"""Caches of kinds that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from spiderpool.errors import NotFound
from spiderpool.kube.api import Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.optional import OptionalCache
from spiderpool.kube.resources import CALICO_IPPOOL, SERVICECIDRS, Resource
from spiderpool.testing.kube import FakeClient

POOL: Object = {"metadata": {"name": "p"}, "spec": {}}


class Installed(FakeClient):
    """Serves only the kinds that are installed."""

    kinds: frozenset[Resource] = frozenset()

    async def list(self, resource: Resource, *args: Any, **options: Any) -> Object:
        if resource not in self.kinds:
            raise NotFound(404, "NotFound", "the server could not find the requested resource")
        return await super().list(resource, *args, **options)

    async def watch(self, resource: Resource, *args: Any, **options: Any) -> AsyncIterator[Object]:
        if resource not in self.kinds:
            raise NotFound(404, "NotFound", "the server could not find the requested resource")
        async for event in super().watch(resource, *args, **options):
            yield event


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while True:
            if holds():
                return
            await asyncio.sleep(0.001)


def cache_of(api: FakeClient, *versions: Resource) -> tuple[OptionalCache, list[bool]]:
    cache = OptionalCache(api, *versions)
    told: list[bool] = []
    cache.on_served = lambda: told.append(cache.served)
    cache._absence = cache._backoff = Backoff(first=0.001, most=0.002)
    return cache, told


def test_absence_is_known_and_its_end_is_told() -> None:
    async def scene() -> None:
        api = Installed([(CALICO_IPPOOL, POOL)])
        cache, told = cache_of(api, CALICO_IPPOOL)
        work = asyncio.ensure_future(cache.run())
        await cache.synced()
        assert cache.found() is None
        api.kinds = frozenset({CALICO_IPPOOL})
        await until(cache.found)
        assert told == [True]
        api.kinds = frozenset()
        await api.end_watches()
        await until(lambda: cache.found() is None)
        assert told == [True, False]
        work.cancel()

    asyncio.run(scene())


def test_the_first_version_that_is_served_is_taken() -> None:
    async def scene() -> None:
        api = Installed([(SERVICECIDRS[1], POOL)])
        api.kinds = frozenset(SERVICECIDRS[1:])
        cache, _ = cache_of(api, *SERVICECIDRS)
        work = asyncio.ensure_future(cache.run())
        await until(cache.found)
        assert cache.resource == SERVICECIDRS[1]
        work.cancel()

    asyncio.run(scene())
