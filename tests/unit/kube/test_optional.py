"""Caches of kinds that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spiderpool.errors import KubeError, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.optional import OptionalCache
from spiderpool.kube.resources import CALICO_IPPOOL, SERVICECIDRS, Resource
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import FaultyClient, nothing

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


def cache_of(api: Client, *versions: Resource) -> tuple[OptionalCache, list[bool]]:
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


def test_a_kind_that_may_not_be_listed_keeps_nobody_waiting() -> None:
    async def scene() -> None:
        api = FaultyClient(FakeClient([(CALICO_IPPOOL, POOL)]))
        api.forbidden = lambda request: True
        cache, told = cache_of(api, CALICO_IPPOOL)
        work = asyncio.ensure_future(cache.run())
        await asyncio.wait_for(cache.synced(), 5)
        assert isinstance(cache.found(), KubeError)
        assert "ippools is forbidden" in cache.problem
        api.forbidden = nothing
        await until(lambda: cache.found() == tuple(cache.all()) != ())
        assert told == [True]
        work.cancel()

    asyncio.run(scene())


@pytest.mark.parametrize("installed", [True, False])
def test_what_was_known_before_a_right_was_taken_away_still_counts(installed: bool) -> None:
    async def scene() -> None:
        served = Installed([(CALICO_IPPOOL, POOL)])
        served.kinds = frozenset({CALICO_IPPOOL} if installed else ())
        api = FaultyClient(served)
        cache, _ = cache_of(api, CALICO_IPPOOL)
        work = asyncio.ensure_future(cache.run())
        await cache.synced()
        before = cache.found()
        api.forbidden = lambda request: True
        await served.end_watches()
        await until(lambda: "is forbidden" in cache.problem)
        assert cache.found() == before
        assert (before is not None) == installed
        work.cancel()

    asyncio.run(scene())
