"""The collector against the in-memory API: two looks, a live question, and doubt."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ipam_world import collector_of

from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import (
    NODE,
    POD,
    SPIDERENDPOINT,
    STATEFULSET,
)
from spiderpool.testing.kubefaults import FaultyClient, nothing

CONF = {"default_ipv4_ippool": ["a"]}
WEB = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "s1"}


@asynccontextmanager
async def collector(world: Any) -> AsyncIterator[Any]:
    client = FaultyClient(world.api)
    informers = Informers(client)
    found = collector_of(informers, time.time)
    await informers.synced()
    found.client = client  # type: ignore[attr-defined]
    try:
        yield found
    finally:
        await informers.close()


async def states(world: Any) -> list[str]:
    return [entry.slot.state for entry in (await world.ledger()).in_pool("a")]


async def start(world: Any, *names: str, **metadata: Any) -> dict[str, str]:
    """Pods with an address each, by name their UID."""
    await world.node("worker01", "10.6.0.250")
    await world.pool("a", "10.6.0.1-10.6.0.9")
    uids = {}
    async with world.agent() as agent:
        for name in names:
            uids[name] = await world.pod(f"default/{name}", **metadata)
            await agent.add(f"default/{name}", ipam=CONF)
    return uids


def test_a_pod_that_vanished_gives_back_after_two_looks(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world, "x", "y")
        await world.api.delete(POD, "x", "default", grace_seconds=0)
        async with collector(world) as gc:
            await gc.look(0.0)
            assert (gc.counts.candidates, await states(world)) == (1, ["held", "held"])
            await gc.look(19.0)
            assert await states(world) == ["held", "held"]
            await gc.look(21.0)
            assert await states(world) == ["cooling", "held"]
            await world.settle()
            await gc.look(42.0)
            assert (gc.counts.released, gc.counts.candidates) == (1, 0)
            await gc.look(63.0)
            names = [e["metadata"]["name"] for e in (await world.api.list(SPIDERENDPOINT))["items"]]
            assert names == ["y"]

    play(story)


def test_a_cache_that_has_lost_a_pod_frees_nothing(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world, "x")
        async with collector(world) as gc:
            gc._watched.pods._objects.clear()
            for moment in (0.0, 21.0, 42.0):
                await gc.look(moment)
            assert gc.counts.candidates == 1, "it was under suspicion all the time"
            assert await states(world) == ["held"]

    play(story)


def test_a_cache_that_has_lost_a_node_frees_nothing(play: Any) -> None:
    """A pod that should have ended long ago may still run on a node that is there."""

    async def story(world: Any) -> None:
        await start(world, "x")
        await world.api.delete(POD, "x", "default")
        stored = world.api._stored(POD, ("default", "x"))
        stored["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z"
        async with collector(world) as gc:
            gc._watched.nodes._objects.clear()
            for moment in (0.0, 21.0, 42.0):
                await gc.look(moment)
            assert gc.counts.candidates == 1, "it was under suspicion all the time"
            assert await states(world) == ["held"]
            await world.api.delete(NODE, "worker01")
            await gc.look(63.0)
            assert await states(world) == ["cooling"]

    play(story)


def test_an_address_whose_node_is_gone_too_waits_for_a_second_look(play: Any) -> None:
    """Its kubelet may still run, and what it runs may still answer."""

    async def story(world: Any) -> None:
        await start(world, "x")
        await world.api.delete(POD, "x", "default", grace_seconds=0)
        await world.api.delete(NODE, "worker01")
        async with collector(world) as gc:
            await gc.look(0.0)
            assert await states(world) == ["held"]
            await gc.look(21.0)
            assert await states(world) == ["cooling"]

    play(story)


def test_a_static_pod_keeps_its_address_when_its_object_is_made_anew(play: Any) -> None:
    """kubelet makes another one, of another UID, and the containers just go on."""

    async def story(world: Any) -> None:
        mirror = {"annotations": {"kubernetes.io/config.mirror": "abc"}}
        await start(world, "x", **mirror)
        await world.api.delete(POD, "x", "default", grace_seconds=0)
        await world.pod("default/x", **mirror)
        async with collector(world) as gc:
            for moment in (0.0, 21.0, 42.0):
                await gc.look(moment)
            assert await states(world) == ["held"]
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            await world.settle()
            for moment in (63.0, 84.0):
                await gc.look(moment)
            assert await states(world) == ["cooling"]

    play(story)


def test_a_cache_that_has_lost_everything_drops_no_endpoint(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world, "x")
        async with collector(world) as gc:
            gc._watched.pods._objects.clear()
            gc._ledger.__init__()
            for moment in (0.0, 21.0):
                await gc.look(moment)
            names = [e["metadata"]["name"] for e in (await world.api.list(SPIDERENDPOINT))["items"]]
            assert names == ["x"]

    play(story)


def test_without_an_answer_nothing_is_freed(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world, "x")
        await world.api.delete(POD, "x", "default", grace_seconds=0)
        async with collector(world) as gc:
            await gc.look(0.0)
            gc.client.down = True
            await gc.look(21.0)
            gc.client.down = False
            assert await states(world) == ["held"]
            await gc.look(42.0)
            assert await states(world) == ["cooling"]

    play(story)


def test_a_record_that_changes_hands_between_look_and_release_stays(play: Any) -> None:
    async def story(world: Any) -> None:
        await start(world, "web-0", ownerReferences=[{**WEB, "controller": True}])
        await world.api.delete(POD, "web-0", "default", grace_seconds=0)
        async with collector(world) as gc, world.agent() as agent:
            await gc.look(0.0)
            assert gc.counts.candidates == 1
            await world.pod("default/web-0", ownerReferences=[{**WEB, "controller": True}])
            await agent.add("default/web-0", ipam=CONF, container="c2")
            await gc.look(21.0)
            assert await states(world) == ["held"]

    play(story)


def test_a_statefulset_keeps_its_ordinals_until_it_is_scaled_down(play: Any) -> None:
    async def story(world: Any) -> None:
        meta = {"name": "web", "namespace": "default"}
        await world.put(STATEFULSET, {"metadata": meta, "spec": {"replicas": 2}})
        await start(world, "web-0", "web-1", ownerReferences=[{**WEB, "controller": True}])
        for name in ("web-0", "web-1"):
            await world.api.delete(POD, name, "default", grace_seconds=0)
        async with collector(world) as gc:
            for moment in (0.0, 21.0):
                await gc.look(moment)
            assert await states(world) == ["held", "held"]
            await world.api.patch(STATEFULSET, "web", {"spec": {"replicas": 1}}, "default")
            await world.settle()
            for moment in (42.0, 63.0):
                await gc.look(moment)
            assert await states(world) == ["held", "cooling"]
            await world.settle()
            for moment in (84.0, 105.0):
                await gc.look(moment)
            names = [e["metadata"]["name"] for e in (await world.api.list(SPIDERENDPOINT))["items"]]
            assert names == ["web-0"]

    play(story)


def test_what_may_not_be_asked_keeps_an_address_and_is_told_once(
    play: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(world: Any) -> None:
        await start(world, "x", "y")
        await world.api.delete(POD, "x", "default", grace_seconds=0)
        async with collector(world) as gc:
            await gc.look(0.0)
            gc.client.forbidden = lambda request: request.verb == "get"
            for moment in (30.0, 40.0, 50.0):
                await gc.look(moment)
                assert await states(world) == ["held", "held"]
            assert gc.counts.failed == 3
            gc.client.forbidden = nothing
            await gc.look(60.0)
            assert await states(world) == ["cooling", "held"]

    play(story)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        '10.6.0.1 stays with default/x: pods is forbidden: User "me" cannot get resource "pods"'
    ]


def test_a_clock_that_is_put_forward_makes_no_pod_overdue(play: Any) -> None:
    """A pod with an hour to end, whose node was deleted, may run for that hour."""

    async def story(world: Any) -> None:
        await start(world, "x", "y")
        await world.api.delete(POD, "x", "default", grace_seconds=3600)
        await world.api.delete(NODE, "worker01")
        async with collector(world) as gc:
            wall = time.time()
            gc._now = lambda: wall
            await gc.look(0.0)
            wall += 7200
            for moment in (10.0, 40.0, 70.0):
                await gc.look(moment)
            assert await states(world) == ["held", "held"]
            wall -= 14400
            await gc.look(100.0)
            assert await states(world) == ["held", "held"]
            wall += 7200 + 3600 + 100
            for moment in (3700.0, 3730.0):
                await gc.look(moment)
            assert await states(world) == ["cooling", "held"]

    play(story)
