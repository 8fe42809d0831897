"""Workloads that change, that others made, and that the API has more to say about."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from autopool_world import (
    KINDS,
    P,
    asks,
    controller,
    deployment,
    make_subnet,
    pod_of,
    pools_of,
    replica,
)

from spiderpool.errors import Invalid, NoAddress
from spiderpool.ipam.ranges import parse
from spiderpool.kube.resources import (
    CRONJOB,
    DEPLOYMENT,
    JOB,
    SPIDERIPPOOL,
    SPIDERSUBNET,
    STATEFULSET,
)
from spiderpool.types.address import Family

OPERATOR = {
    "apiVersion": "db.example.com/v1",
    "kind": "Redis",
    "name": "cache",
    "uid": "of-the-redis",
    "controller": True,
}
EXISTS = {"key": "app", "operator": "Exists"}


@asynccontextmanager
async def pool_of_web(world: Any) -> AsyncIterator[str]:
    """The name of a Deployment's pool, while a controller runs."""
    await make_subnet(world)
    async with controller(world):
        await world.put(DEPLOYMENT, deployment("web"))
        await world.settle()
        (pool,) = await pools_of(world)
        yield pool


async def other_subnet(world: Any, name: str, subnet: str, *ips: str) -> None:
    await world.put(
        SPIDERSUBNET, {"metadata": {"name": name}, "spec": {"subnet": subnet, "ips": list(ips)}}
    )


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_what_an_operator_made_is_a_workload_all_the_same(play: Any, kind: str) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            asked = deployment("web")
            asked["metadata"]["ownerReferences"] = [OPERATOR]
            made = await world.put(KINDS[kind], asked)
            await pod_of(world, "web-0", made, kind)
            assert await agent.add("default/web-0") == ["10.6.0.10/16"]

    play(story)


def test_a_deployment_of_an_operator_and_its_replicas_agree(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            asked = deployment("web")
            asked["metadata"]["ownerReferences"] = [OPERATOR]
            made = await world.put(DEPLOYMENT, asked)
            await replica(world, "web-1", made["metadata"]["uid"])
            assert await agent.add("default/web-1") == ["10.6.0.10/16"]

    play(story)


def test_a_cronjob_of_an_operator_and_its_jobs_agree(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            template = {"spec": {"template": {"metadata": {"annotations": asks()}}}}
            meta: dict[str, Any] = {
                "name": "cron",
                "namespace": "default",
                "ownerReferences": [OPERATOR],
            }
            cron = await world.put(CRONJOB, {"metadata": meta, "spec": {"jobTemplate": template}})
            above: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "cron"}
            above |= {"uid": cron["metadata"]["uid"], "controller": True}
            meta = {"name": "cron-1", "namespace": "default", "ownerReferences": [above]}
            job = await world.put(JOB, {"metadata": meta, **template})
            await pod_of(world, "cron-1-x", job, "Job")
            assert await agent.add("default/cron-1-x") == ["10.6.0.10/16"]

    play(story)


def test_another_subnet_is_another_pool_while_the_old_one_empties(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        await other_subnet(world, "t", "10.7.0.0/16", "10.7.0.10-10.7.0.19")
        async with controller(world), world.agent() as agent:
            made = await world.put(STATEFULSET, deployment("web"))
            uid = await pod_of(world, "web-1", made, "StatefulSet")
            assert await agent.add("default/web-1") == ["10.6.0.10/16"]
            (old,) = await pools_of(world)
            await world.api.patch(SPIDERIPPOOL, old, {"metadata": {"finalizers": ["a/b"]}})
            notes = {P + "subnet": json.dumps({"ipv4": ["t"]})}
            await world.api.patch(
                STATEFULSET, "web", {"spec": deployment("web", **notes)["spec"]}, "default"
            )
            await pod_of(world, "web-0", made, "StatefulSet", **notes)
            assert await agent.add("default/web-0") == ["10.7.0.10/16"]
            assert set(await pools_of(world)) == {old, f"{old}-2"}
            assert (await world.api.get(SPIDERIPPOOL, old))["metadata"]["deletionTimestamp"]
            again = await agent.add("default/web-1", container="c2", uid=uid)
            assert again == ["10.6.0.10/16"], "a pod that restarts keeps what it holds"

    play(story)


def test_a_workload_made_again_does_not_wait_for_its_old_pool_to_go(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            await world.put(STATEFULSET, deployment("web"))
            await world.settle()
            (old,) = await pools_of(world)
            await world.api.patch(SPIDERIPPOOL, old, {"metadata": {"finalizers": ["a/b"]}})
            await world.api.delete(STATEFULSET, "web", "default")
            await world.settle()
            made = await world.put(STATEFULSET, deployment("web"))
            await pod_of(world, "web-0", made, "StatefulSet")
            assert await agent.add("default/web-0") == ["10.6.0.13/16"]

    play(story)


def test_a_family_that_the_cluster_does_not_use_stands_in_nobodys_way(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        await other_subnet(world, "s6", "fd00::/64", "fd00::10-fd00::ff")
        notes = {P + "subnet": json.dumps({"ipv4": ["s"], "ipv6": ["s6"]})}
        only_v4 = frozenset({Family.V4})
        async with controller(world, only_v4), world.agent(families=only_v4) as agent:
            made = await world.put(STATEFULSET, deployment("web", **notes))
            await pod_of(world, "web-0", made, "StatefulSet", **notes)
            assert await agent.add("default/web-0") == ["10.6.0.10/16"]
            assert len(await pools_of(world)) == 1

    play(story)


def test_reclaim_can_be_switched_on_later(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world):
            await world.put(DEPLOYMENT, deployment("db", **{P + "ippool-reclaim": "false"}))
            await world.settle()
            now = deployment("db", **{P + "ippool-reclaim": "true"})["spec"]
            await world.api.patch(DEPLOYMENT, "db", {"spec": now}, "default")
            await world.settle()
            await world.api.delete(DEPLOYMENT, "db", "default")
            await world.settle()
            assert await pools_of(world) == {}

    play(story)


def test_what_the_api_refuses_is_told_to_the_workload(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        world.api.refuse = lambda resource, obj: (
            Invalid(422, "Invalid", "spec.subnet: overlaps") if resource == SPIDERIPPOOL else None
        )
        async with controller(world) as recorder:
            await world.put(DEPLOYMENT, deployment("web"))
            await world.settle()
            assert {kind.message for kind in recorder._waiting} == {"spec.subnet: overlaps"}

    play(story)


def test_a_workload_that_a_cache_does_not_know_yet_keeps_its_pool(play: Any) -> None:
    async def story(world: Any) -> None:
        await make_subnet(world)
        await world.put(DEPLOYMENT, deployment("web"))
        async with controller(world):
            await world.settle()
        before = await pools_of(world)
        assert before
        async with controller(world, unseen="Deployment"):
            await world.settle()
            assert await pools_of(world) == before
        await world.api.delete(DEPLOYMENT, "web", "default")
        async with controller(world):
            await world.settle()
            assert await pools_of(world) == {}, "what went while no controller ran"

    play(story)


def test_an_address_that_is_reserved_later_is_replaced(play: Any) -> None:
    async def story(world: Any) -> None:
        async with pool_of_web(world) as pool:
            await world.reserve("r", "10.6.0.11")
            await world.settle()
            assert await pools_of(world) == {pool: ["10.6.0.10", "10.6.0.12-10.6.0.13"]}

    play(story)


def test_a_pool_that_somebody_edits_gets_its_size_back(play: Any) -> None:
    async def story(world: Any) -> None:
        async with pool_of_web(world) as pool:
            for wrong in (["10.6.0.11"], ["10.6.0.11-10.6.0.19"], ["10.7.0.1-10.7.0.3"]):
                await world.api.patch(SPIDERIPPOOL, pool, {"spec": {"ips": wrong}})
                await world.settle()
                (ips,) = (await pools_of(world)).values()
                found = parse(ips, Family.V4, "")
                assert found.size == 3
                assert not (found - parse(["10.6.0.10-10.6.0.19"], Family.V4, "")).size

    play(story)


def test_a_pool_that_somebody_opens_to_others_is_closed_again(play: Any) -> None:
    async def story(world: Any) -> None:
        async with pool_of_web(world) as pool:
            made = (await world.api.get(SPIDERIPPOOL, pool))["spec"]["podAffinity"]
            more = {"matchLabels": {"app": "x"}, "matchExpressions": [EXISTS]}
            for wrong in (None, more):
                await world.api.patch(SPIDERIPPOOL, pool, {"spec": {"podAffinity": wrong}})
                await world.settle()
                spec = (await world.api.get(SPIDERIPPOOL, pool))["spec"]
                assert spec["podAffinity"] == made

    play(story)


def test_what_somebody_excludes_is_replaced(play: Any) -> None:
    async def story(world: Any) -> None:
        async with pool_of_web(world) as pool:
            await world.api.patch(SPIDERIPPOOL, pool, {"spec": {"excludeIPs": ["10.6.0.11"]}})
            await world.settle()
            assert await pools_of(world) == {pool: ["10.6.0.10", "10.6.0.12-10.6.0.13"]}

    play(story)


def test_a_pool_that_does_not_grow_in_time_is_told_with_its_reason(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spiderpool.agent.ipam_subnets.WAIT_SECONDS", 0.05)

    async def story(world: Any) -> None:
        await make_subnet(world)
        async with controller(world), world.agent() as agent:
            one = {P + "ippool-ip-number": "1"}
            made = await world.put(STATEFULSET, deployment("web", **one))
            for name in ("web-0", "web-1"):
                await pod_of(world, name, made, "StatefulSet", **asks(**one))
            await agent.add("default/web-0")
            with pytest.raises(NoAddress, match="all IP addresses used out: 1/1"):
                await agent.add("default/web-1")

    play(story)
