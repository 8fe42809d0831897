"""Caches under every way in which a watch can fail, on the fake API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from cache_world import World, config_map, run

from spiderpool.errors import BadInput, NotFound, Unreachable
from spiderpool.kube.api import PART_OF_LIST, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.informer import Informers, WatchedCache
from spiderpool.kube.resources import CONFIGMAP, POD, SPIDERIPPOOL
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import Fault, FaultyClient, Request


def test_it_follows_the_server() -> None:
    async def scenario(world: World) -> None:
        await world.api.create(CONFIGMAP, config_map("a", x="1"))
        await world.cache.synced()
        assert world.names() == ["a"]
        await world.api.patch(CONFIGMAP, "a", {"data": {"x": "2"}}, "default")
        await world.api.create(CONFIGMAP, config_map("b"))
        await world.api.delete(CONFIGMAP, "b", "default")
        await world.until(lambda: ("deleted", "b") in world.told)
        assert world.told == [("added", "a"), ("changed", "a"), ("added", "b"), ("deleted", "b")]
        found = world.cache.get("a", "default")
        assert found is not None
        assert found["data"] == {"x": "2"}
        assert world.cache.get("a") is None

    run(scenario)


def test_subscribers_hear_what_is_there_already() -> None:
    async def scenario(world: World) -> None:
        await world.api.create(CONFIGMAP, config_map("a"))
        await world.cache.synced()
        heard: list[tuple[Any, Any]] = []
        world.cache.subscribe(lambda old, new: heard.append((old, new)))
        assert [(old, new["metadata"]["name"]) for old, new in heard] == [(None, "a")]

    run(scenario)


def test_a_watch_that_ends_is_continued_without_a_list() -> None:
    async def scenario(world: World) -> None:
        def is_known(name: str) -> bool:
            return name in world.names()

        await world.cache.synced()
        for name in ("a", "b", "c"):
            await world.api.create(CONFIGMAP, config_map(name))
            await world.until(partial(is_known, name))
            await world.api.end_watches()
        await world.until(lambda: world.count("watch") >= 4)
        assert world.count("list") == 1

    run(scenario)


def test_what_was_deleted_while_the_server_was_away_is_told() -> None:
    async def scenario(world: World) -> None:
        await world.api.create(CONFIGMAP, config_map("stays"))
        await world.api.create(CONFIGMAP, config_map("goes"))
        await world.until(lambda: len(world.names()) == 2)
        world.faulty.down = True
        await world.api.delete(CONFIGMAP, "goes", "default")
        await world.api.create(CONFIGMAP, config_map("comes"))
        await world.api.end_watches()
        await world.until(lambda: "refused" in world.cache.problem)
        assert world.names() == ["goes", "stays"]
        world.faulty.down = False
        await world.until(lambda: world.names() == ["comes", "stays"])
        assert ("deleted", "goes") in world.told
        await world.until(lambda: not world.cache.problem)

    run(scenario)


def test_history_that_the_server_forgot_is_listed_again() -> None:
    async def scenario(world: World) -> None:
        await world.cache.synced()
        await world.api.create(CONFIGMAP, config_map("a"))
        await world.until(lambda: world.names() == ["a"])
        await world.api.create(POD, {"metadata": {"name": "p", "namespace": "default"}})
        await world.api.forget_history()
        await world.api.create(CONFIGMAP, config_map("b"))
        await world.until(lambda: world.names() == ["a", "b"])
        assert world.count("list") == 2
        assert world.told == [("added", "a"), ("added", "b")]

    run(scenario)


def test_a_first_list_that_fails_is_tried_again() -> None:
    async def scenario(world: World) -> None:
        world.faulty.inject(Fault.UNREACHABLE, 3, on=lambda request: request.verb == "list")
        assert "not been answered" in world.cache.problem
        await world.until(lambda: world.cache.is_synced)
        assert world.count("list") == 4
        assert world.cache.problem == ""

    run(scenario)


def test_an_answer_that_is_no_list_changes_nothing() -> None:
    class Proxy(FakeClient):
        """Answers everything with an empty object and 200, as some login pages do."""

        async def list_parts(self, *args: Any, **options: Any) -> AsyncIterator[Object]:
            yield {}

    async def scenario(world: World) -> None:
        await world.api.create(CONFIGMAP, config_map("a"))
        await world.until(lambda: world.names() == ["a"])
        world.faulty.down = True
        await world.api.end_watches()
        await world.until(lambda: "refused" in world.cache.problem)
        world.faulty.replace(Proxy())
        world.faulty.down = False
        await world.until(lambda: "the answer is no list" in world.cache.problem)
        assert world.names() == ["a"]

    run(scenario)


@pytest.mark.parametrize(
    "problem", [BadInput("/run/token", "cannot be read: No such file or directory"), KeyError("x")]
)
def test_no_failure_ends_a_cache(problem: Exception) -> None:
    class Unprepared(FakeClient):
        async def list(self, *args: Any, **options: Any) -> Object:
            raise problem

    async def scenario(world: World) -> None:
        world.faulty.replace(Unprepared())
        await world.api.end_watches()
        await world.until(lambda: str(problem) in world.cache.problem)
        world.faulty.replace(world.api)
        await world.api.create(CONFIGMAP, config_map("a"))
        await world.until(lambda: world.names() == ["a"])

    run(scenario)


def test_a_kind_without_a_definition_is_named() -> None:
    class WithoutDefinitions(FakeClient):
        async def list(self, *args: Any, **options: Any) -> Object:
            raise NotFound(404, "NotFound", "GET /apis/x: the API server answered 404")

    async def main() -> None:
        cache = WatchedCache(WithoutDefinitions(), SPIDERIPPOOL)
        keeping = asyncio.create_task(cache.run())
        async with asyncio.timeout(5):
            while "first list" in cache.problem:
                await asyncio.sleep(0.001)
        assert cache.problem == (
            "spiderippools.v2beta1.spiderpool.spidernet.io is not served: "
            "is its definition (CRD) installed?"
        )
        keeping.cancel()

    asyncio.run(main())


def test_others_have_their_turn_while_a_long_list_is_taken_over() -> None:
    async def scenario(world: World) -> None:
        world.faulty.down = True
        for number in range(3 * PART_OF_LIST):
            await world.api.create(CONFIGMAP, config_map(f"a{number}"))
        world.faulty.down = False
        turns: list[int] = []

        async def other() -> None:
            while not world.cache.is_synced:
                turns.append(len(world.told))
                await asyncio.sleep(0)

        await other()
        assert len(world.names()) == 3 * PART_OF_LIST
        assert {PART_OF_LIST, 2 * PART_OF_LIST} <= set(turns)

    run(scenario)


def test_field_managers_are_not_kept() -> None:
    async def scenario(world: World) -> None:
        await world.cache.synced()
        made = await world.api.create(CONFIGMAP, config_map("a"))
        world.cache.observe(made | {"metadata": made["metadata"] | {"managedFields": [{}]}})
        assert world.cache.get("a", "default") == made

    run(scenario)


def test_an_own_write_is_seen_at_once_and_never_undone_by_an_older_event() -> None:
    async def scenario(world: World) -> None:
        first = await world.api.create(CONFIGMAP, config_map("a", x="1"))
        second = await world.api.update(CONFIGMAP, first | {"data": {"x": "2"}})
        third = await world.api.update(CONFIGMAP, second | {"data": {"x": "3"}})
        world.cache.observe(third)
        assert world.cache.get("a", "default") == third
        await world.until(lambda: world.cache.is_synced)
        await world.api.create(CONFIGMAP, config_map("later"))
        await world.until(lambda: "later" in world.names())
        assert world.cache.get("a", "default") == third
        assert ("deleted", "a") not in world.told
        world.cache.observe(first)
        assert world.cache.get("a", "default") == third

    run(scenario)


def test_an_own_write_that_was_deleted_meanwhile_does_not_come_back() -> None:
    async def scenario(world: World) -> None:
        await world.cache.synced()
        made = await world.api.create(CONFIGMAP, config_map("a"))
        await world.api.delete(CONFIGMAP, "a", "default")
        await world.until(lambda: ("deleted", "a") in world.told)
        world.cache.observe(made)
        assert world.names() == []

    run(scenario)


def test_a_server_that_lost_its_memory_is_believed() -> None:
    async def scenario(world: World) -> None:
        for name in ("a", "b", "c"):
            await world.api.create(CONFIGMAP, config_map(name, old="yes"))
        await world.until(lambda: len(world.names()) == 3)
        fresh = FakeClient()
        await fresh.create(CONFIGMAP, config_map("b", old="no"))
        world.faulty.down = True
        await world.api.end_watches()
        world.faulty.replace(fresh)
        world.faulty.down = False
        async with asyncio.timeout(5):
            while world.names() != ["b"]:
                await asyncio.sleep(0.001)
                await fresh.bookmark()
        found = world.cache.get("b", "default")
        assert found is not None
        assert found["data"] == {"old": "no"}

    run(scenario)


def test_a_restored_server_that_nobody_saw_go_is_noticed() -> None:
    """Its watch has nothing to tell from a version on that it has not reached again."""

    async def scenario(world: World) -> None:
        for name in ("a", "b", "c"):
            await world.api.create(CONFIGMAP, config_map(name))
        await world.until(lambda: len(world.names()) == 3)
        restored = FakeClient([(CONFIGMAP, config_map("b"))])
        world.faulty.replace(restored)
        await world.api.end_watches()
        async with asyncio.timeout(5):
            while world.names() != ["b"]:
                await restored.end_watches()
                await asyncio.sleep(0.001)

    run(scenario)


def test_silence_is_no_reason_to_list_everything_again() -> None:
    class Counting(FakeClient):
        asked: list[int]

        def list_parts(self, *args: Any, **options: Any) -> AsyncIterator[Object]:
            self.asked.append(options["most"])
            return super().list_parts(*args, **options)

    async def scenario(world: World) -> None:
        quiet = Counting()
        quiet.asked = []
        await world.cache.synced()
        world.faulty.replace(quiet)
        await world.api.end_watches()
        watched = world.count("watch")
        while world.count("watch") < watched + 5:
            await quiet.end_watches()
            await asyncio.sleep(0.001)
        assert set(quiet.asked) == {1}

    run(scenario)


def test_a_subscriber_that_fails_does_not_stop_the_cache() -> None:
    def broken(old: Object | None, new: Object | None) -> None:
        raise RuntimeError("fault of the subscriber")

    async def scenario(world: World) -> None:
        world.cache.subscribe(broken)
        await world.api.create(CONFIGMAP, config_map("a"))
        await world.until(lambda: world.names() == ["a"])

    run(scenario)


def test_waiting_grows_while_the_server_is_away() -> None:
    backoff = Backoff(first=0.1, most=1.0)
    waits = [backoff.wait() for _ in range(8)]
    assert all(0.05 <= wait <= 1.0 for wait in waits)
    assert all(wait >= 0.5 for wait in waits[5:])
    backoff.reset()
    assert backoff.wait() <= 0.1


def test_informers_report_what_is_not_in_step() -> None:
    async def main() -> None:
        faulty = FaultyClient(FakeClient())
        faulty.inject(Fault.UNREACHABLE, 1, on=_lists_pods)
        informers = Informers(faulty)
        maps, pods = informers.of(CONFIGMAP), informers.of(POD)
        await maps.synced()
        assert any("pods" in problem or "list" in problem for problem in informers.problems())
        await asyncio.wait_for(informers.synced(), 5)
        await pods.synced()
        assert informers.problems() == []
        await informers.close()

    asyncio.run(main())


def _lists_pods(request: Request) -> bool:
    return request.verb == "list" and request.resource == POD


def test_the_fault_client_breaks_in_the_ways_it_says() -> None:
    async def main() -> None:
        api = FakeClient()
        faulty = FaultyClient(api)
        faulty.inject(Fault.LOST_REPLY)
        try:
            await faulty.create(CONFIGMAP, config_map("a"))
        except Unreachable:
            assert (await api.get(CONFIGMAP, "a", "default"))["metadata"]["name"] == "a"
        else:
            raise AssertionError("the reply arrived")
        assert faulty.faults_left == 0

    asyncio.run(main())
