"""Caches of a process that loses the right to list or watch, on the fake API."""

from __future__ import annotations

import pytest
from cache_world import World, config_map, run

from spiderpool.kube.resources import CONFIGMAP
from spiderpool.testing.kubefaults import nothing


def test_a_right_that_is_taken_away_is_told_once_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The watch that runs goes on; the cache keeps what it knows when it may not list any more."""

    async def scenario(world: World) -> None:
        await world.api.create(CONFIGMAP, config_map("a"))
        await world.until(lambda: world.names() == ["a"])
        world.faulty.forbidden = lambda request: True
        await world.api.create(CONFIGMAP, config_map("b"))
        await world.until(lambda: world.names() == ["a", "b"])
        await world.api.end_watches()
        await world.api.create(CONFIGMAP, config_map("c"))
        refused = world.count("list")
        await world.until(lambda: world.count("list") > refused + 3)
        assert world.names() == ["a", "b"]
        assert world.cache.problem.endswith('cannot list resource "configmaps"')
        world.faulty.forbidden = nothing
        await world.until(lambda: world.names() == ["a", "b", "c"])
        await world.until(lambda: not world.cache.problem)

    with caplog.at_level("INFO"):
        run(scenario)
    words = 'configmaps: configmaps is forbidden: User "me" cannot {} resource "configmaps"'
    assert [record.message for record in caplog.records] == [
        words.format("watch"),
        words.format("list"),
        "configmaps: in step again",
    ]


def test_a_watch_that_is_refused_while_lists_are_not_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(world: World) -> None:
        await world.cache.synced()
        world.faulty.forbidden = lambda request: request.verb == "watch"
        await world.api.end_watches()
        await world.api.create(CONFIGMAP, config_map("a"))
        await world.until(lambda: world.names() == ["a"])
        again = world.count("watch")
        await world.until(lambda: world.count("watch") > again + 3)
        world.faulty.forbidden = nothing
        again = world.count("watch")
        await world.until(lambda: world.count("watch") > again)
        await world.api.create(CONFIGMAP, config_map("b"))
        await world.until(lambda: world.names() == ["a", "b"])

    with caplog.at_level("INFO"):
        run(scenario)
    assert [record.message for record in caplog.records] == [
        'configmaps: configmaps is forbidden: User "me" cannot watch resource "configmaps"',
        "configmaps: in step again",
    ]
