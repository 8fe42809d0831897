"""Pools out of a SpiderSubnet, with controller and agent together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from autopool_world import (
    FIVE,
    P,
    asks,
    controller,
    deployment,
    make_subnet,
    pools_of,
    replica,
)

from spiderpool.errors import BadInput, NoAddress
from spiderpool.kube.resources import (
    DEPLOYMENT,
    POD,
    REPLICASET,
    SPIDERIPPOOL,
    STATEFULSET,
)


def test_a_deployment_gets_a_pool_and_its_pods_draw_from_it(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        await world.pool("manual", "10.6.0.10-10.6.0.11")
        await world.reserve("r", "10.6.0.13")
        async with controller(world), world.agent() as agent:
            made = await world.put(DEPLOYMENT, deployment())
            await replica(world, "web-1", made["metadata"]["uid"])
            assert await agent.add("default/web-1") == ["10.6.0.12/16"]
            (name,) = set(await pools_of(world)) - {"manual"}
            assert (await pools_of(world))[name] == ["10.6.0.12", "10.6.0.14-10.6.0.15"]
            await world.pod("default/stranger")
            with pytest.raises(NoAddress, match=r"it is made for .*app-name=web"):
                await agent.add("default/stranger", ipam={"default_ipv4_ippool": [name]})

    play(story)


def test_a_pod_waits_for_a_pool_that_still_grows(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            number = {P + "ippool-ip-number": "+0"}
            made = await world.put(DEPLOYMENT, deployment("web", 1, **number))
            for name in ("web-1", "web-2"):
                await replica(world, name, made["metadata"]["uid"])
            await agent.add("default/web-1")
            waiting = asyncio.create_task(agent.add("default/web-2"))
            await world.settle()
            assert not waiting.done()
            await world.api.patch(DEPLOYMENT, "web", {"spec": {"replicas": 2}}, "default")
            assert await waiting == ["10.6.0.11/16"]

    play(story)


def test_a_pool_shrinks_when_addresses_come_back_later(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            made = await world.put(DEPLOYMENT, deployment("web", 2))
            uids = {n: await replica(world, n, made["metadata"]["uid"]) for n in ("p1", "p2")}
            for name, uid in uids.items():
                await agent.add(f"default/{name}", uid=uid)
            (pool,) = await pools_of(world)
            count = {"status": {"allocatedIPCount": 2}}
            await world.api.patch(SPIDERIPPOOL, pool, count, subresource="status")
            await world.api.patch(DEPLOYMENT, "web", {"spec": {"replicas": 0}}, "default")
            await world.settle()
            assert await pools_of(world) == {pool: ["10.6.0.10-10.6.0.11"]}, "both are held"
            await world.api.delete(POD, "p2", "default", grace_seconds=0)
            await agent.call("DEL", "default/p2", uid=uids["p2"])
            count = {"status": {"allocatedIPCount": 1}}
            await world.api.patch(SPIDERIPPOOL, pool, count, subresource="status")
            await world.settle()
            assert await pools_of(world) == {pool: ["10.6.0.10"]}

    play(story)


def test_pools_go_with_their_workload_unless_they_shall_stay(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world):
            await world.put(DEPLOYMENT, deployment("web"))
            stays = {P + "ippool-reclaim": "false"}
            await world.put(DEPLOYMENT, deployment("db", **stays))
            await world.settle()
            before = await pools_of(world)
            assert sorted(name[:9] for name in before) == ["auto4-db-", "auto4-web"]
            for name in ("web", "db"):
                await world.api.delete(DEPLOYMENT, name, "default")
            await world.settle()
            (left,) = await pools_of(world)
            assert left.startswith("auto4-db-")
            await world.put(STATEFULSET, deployment("db", **stays))
            await world.put(DEPLOYMENT, deployment("db", **stays))
            await world.settle()
            after = await pools_of(world)
            assert after[left] == before[left], "the same kind and name takes its pool up again"
            assert len(after) == 2, "another kind of that name does not"

    play(story)


def test_a_subnet_that_is_too_small_is_told_to_the_workload(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world) as recorder:
            await world.put(DEPLOYMENT, deployment("web", 20))
            await world.settle()
            told = [kind.message for kind in recorder._waiting]
            assert told == [
                "SpiderSubnet s has 10 addresses left, Deployment default/web needs 21 more"
            ]
            assert await pools_of(world) == {}

    play(story)


def test_a_pod_without_workload_is_refused(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pod("default/x", annotations=asks())
        async with world.agent() as agent:
            with pytest.raises(BadInput, match="doesn't support no-controller pod"):
                await agent.add("default/x")
            assert (await world.api.list(POD))["items"]

    play(story)


# Workloads of kinds that others bring

ROLLOUT = {"apiVersion": "argoproj.io/v1", "kind": "Rollout", "name": "web", "uid": "rollout-uid"}


async def rollout_pod(world: Any, name: str, **annotations: str) -> str:
    """A pod of a ReplicaSet that a Rollout made."""
    rs = f"web-{name}"
    meta = {
        "name": rs,
        "namespace": "default",
        "ownerReferences": [{**ROLLOUT, "controller": True}],
    }
    made = await world.put(REPLICASET, {"metadata": meta, "spec": {}})
    above = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": rs, "controller": True}
    owner = above | {"uid": made["metadata"]["uid"]}
    return str(
        await world.pod(f"default/{name}", ownerReferences=[owner], annotations=asks(**annotations))
    )


def test_pods_of_a_foreign_kind_share_a_pool_of_fixed_size(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            for name, address in (("r1", "10.6.0.10/16"), ("r2", "10.6.0.11/16")):
                await rollout_pod(world, name, **FIVE)
                assert await agent.add(f"default/{name}") == [address]
            (pool,) = (await world.api.list(SPIDERIPPOOL))["items"]
            assert pool["spec"]["ips"] == ["10.6.0.10-10.6.0.14"]
            assert pool["metadata"]["annotations"] == {
                P + "application": "Rollout.argoproj.io/default/web"
            }

    play(story)


def test_the_pool_of_a_foreign_workload_outlives_its_last_pod_for_a_while(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world):
            await rollout_pod(world, "r1", **FIVE)
            await world.settle()
            await world.api.delete(POD, "r1", "default", grace_seconds=0)
            await world.settle()
            assert len(await pools_of(world)) == 1
            await rollout_pod(world, "r2", **FIVE)
            await world.settle()
            monkeypatch.setattr("spiderpool.controller.autopools.PODLESS_SECONDS", 0.01)
            await world.api.delete(POD, "r2", "default", grace_seconds=0)
            while await pools_of(world):
                await asyncio.sleep(0.001)

    play(story)


def test_how_many_pods_a_foreign_workload_wants_must_be_said(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world) as recorder, world.agent() as agent:
            await rollout_pod(world, "r1")
            with pytest.raises(BadInput, match="nobody can tell how many pods a Rollout"):
                await agent.add("default/r1")
            await world.settle()
            (told,) = recorder._waiting
            assert (told.subject.kind, told.subject.name) == ("Rollout", "web")

    play(story)
