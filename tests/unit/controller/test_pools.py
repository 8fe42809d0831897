"""Status and deletion of pools and subnets."""

import asyncio
import json
from typing import Any

import pytest
from controller_world import World, run, running

from spiderpool.controller.pools import MOST_LISTED, status_of
from spiderpool.ipam.autopools import Application, affinity
from spiderpool.ipam.blocks import Change, key_of, new_object
from spiderpool.ipam.facts import Controller
from spiderpool.ipam.ledger import Entry
from spiderpool.kube.resources import (
    EVENT,
    NODE,
    SPIDERCOORDINATOR,
    SPIDERIPBLOCK,
    SPIDERIPPOOL,
    SPIDERSUBNET,
    Resource,
)
from spiderpool.types.address import Address
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.metadata import FINALIZER
from spiderpool.types.names import IfName, PodUID, PoolName

POOL: dict[str, Any] = {
    "metadata": {"name": "10-6-v4"},
    "spec": {"subnet": "10.6.0.0/16", "ips": ["10.6.212.100-10.6.212.200"]},
}


def block(**held: str) -> dict[str, Any]:
    """The block of 10.6.212.96, in which offsets are held by the pods of those names."""
    changes = [
        Change(
            Address(f"10.6.212.{96 + int(offset[1:])}"),
            Slot(),
            Slot(
                generation=1,
                state=SlotState.HELD,
                pool=PoolName("10-6-v4"),
                pod=f"default/{pod}",
                pod_uid=PodUID(f"uid-{pod}"),
                nic=IfName("net1"),
            ),
        )
        for offset, pod in held.items()
    ]
    return new_object(key_of("10.6.212.96"), changes)


async def counted(world: World, resource: Any, name: str, **status: Any) -> dict[str, Any]:
    return await world.until(
        resource, name, lambda o: status.items() <= (o.get("status") or {}).items()
    )


async def handled(world: World, resource: Resource) -> None:
    """Whatever was asked of this kind's queue before: it takes objects in their order."""
    last = {"metadata": {"name": "last"}, "spec": {"subnet": "10.9.0.0/16", "ips": ["10.9.0.1"]}}
    await world.api.create(resource, last)
    await counted(world, resource, "last", totalIPCount=1)


def test_the_pages_pool_has_101_addresses() -> None:
    async def scene() -> None:
        async with running((SPIDERIPPOOL, POOL)) as world:
            pool = await counted(
                world, SPIDERIPPOOL, "10-6-v4", totalIPCount=101, allocatedIPCount=0
            )
            assert "allocatedIPs" not in pool["status"]

    run(scene)


def test_what_is_held_is_counted_and_listed() -> None:
    async def scene() -> None:
        async with running((SPIDERIPPOOL, POOL), (SPIDERIPBLOCK, block(o4="a", o5="b"))) as world:
            pool = await counted(world, SPIDERIPPOOL, "10-6-v4", allocatedIPCount=2)
            assert json.loads(pool["status"]["allocatedIPs"]) == {
                "10.6.212.100": {"pod": "default/a", "podUid": "uid-a"},
                "10.6.212.101": {"pod": "default/b", "podUid": "uid-b"},
            }

    run(scene)


def test_a_pool_goes_once_nothing_is_held_of_it() -> None:
    async def scene() -> None:
        async with running((SPIDERIPPOOL, POOL), (SPIDERIPBLOCK, block(o4="a"))) as world:
            await counted(world, SPIDERIPPOOL, "10-6-v4", allocatedIPCount=1)
            await world.api.delete(SPIDERIPPOOL, "10-6-v4")
            await handled(world, SPIDERIPPOOL)
            await world.api.get(SPIDERIPPOOL, "10-6-v4")
            freed = {"spec": {"slots": {"10.6.212.100": {"generation": 2, "state": None}}}}
            await world.api.patch(SPIDERIPBLOCK, "10-6-212-96", freed)
            await world.until_gone(SPIDERIPPOOL, "10-6-v4")

    run(scene)


def test_a_subnet_counts_its_pools_and_waits_for_them() -> None:
    async def scene() -> None:
        subnet = {
            "metadata": {"name": "s"},
            "spec": {"subnet": "10.6.0.0/16", "ips": ["10.6.212.1-10.6.212.250"]},
        }
        async with running((SPIDERIPPOOL, POOL), (SPIDERSUBNET, subnet)) as world:
            obj = await counted(world, SPIDERSUBNET, "s", totalIPCount=250, allocatedIPCount=101)
            held = json.loads(obj["status"]["controlledIPPools"])
            assert held == {"10-6-v4": {"ips": ["10.6.212.100-10.6.212.200"]}}
            await world.api.delete(SPIDERSUBNET, "s")
            await handled(world, SPIDERSUBNET)
            await world.api.get(SPIDERSUBNET, "s")
            await world.api.delete(SPIDERIPPOOL, "10-6-v4")
            await world.until_gone(SPIDERSUBNET, "s")

    run(scene)


def test_a_subnet_that_goes_takes_the_pools_along_that_were_made_out_of_it() -> None:
    async def scene() -> None:
        subnet = {"metadata": {"name": "s"}, "spec": {"subnet": "10.6.0.0/16"}}
        web = Application("default", Controller("Deployment", "web", "apps/v1"))
        auto = POOL["spec"] | {"podAffinity": {"matchLabels": affinity(web)}}
        async with running((SPIDERIPPOOL, POOL | {"spec": auto}), (SPIDERSUBNET, subnet)) as world:
            await counted(world, SPIDERSUBNET, "s", allocatedIPCount=101)
            await world.api.delete(SPIDERSUBNET, "s")
            await world.until_gone(SPIDERSUBNET, "s")
            await world.until_gone(SPIDERIPPOOL, "10-6-v4")

    run(scene)


def entries(count: int) -> list[Entry]:
    slot = Slot(generation=1, state=SlotState.HELD, pod="default/a")
    return [Entry(Address(f"10.6.{n // 256}.{n % 256}"), slot) for n in range(count)]


def test_a_subnet_knows_its_pools_however_they_write_it() -> None:
    async def scene() -> None:
        spec = {"subnet": "fd00:6::/64", "ips": ["fd00:6::1-fd00:6::9"]}
        subnet = {"metadata": {"name": "s"}, "spec": spec}
        pool = {"metadata": {"name": "p"}, "spec": spec | {"subnet": "FD00:6:0::/64"}}
        async with running((SPIDERSUBNET, subnet)) as world:
            await counted(world, SPIDERSUBNET, "s", totalIPCount=9, allocatedIPCount=0)
            await world.api.create(SPIDERIPPOOL, pool)
            await counted(world, SPIDERSUBNET, "s", allocatedIPCount=9)

    run(scene)


@pytest.mark.parametrize("resource", [SPIDERIPPOOL, SPIDERSUBNET, SPIDERCOORDINATOR])
def test_what_cannot_be_read_can_be_deleted(resource: Resource) -> None:
    async def scene() -> None:
        broken = {
            "metadata": {"name": "default", "finalizers": [FINALIZER]},
            "spec": {"subnet": "10.6.0.0/33", "podCIDRType": "any"},
        }
        async with running((resource, broken)) as world:
            await world.api.delete(resource, "default")
            await world.until_gone(resource, "default")

    run(scene)


def test_a_large_pool_is_counted_but_not_listed() -> None:
    assert status_of(5000, entries(MOST_LISTED)).allocated_ips is not None
    status = status_of(5000, entries(MOST_LISTED + 1))
    assert status.allocated_ips is None
    assert status.allocated_ip_count == MOST_LISTED + 1


def test_a_count_fits_the_api() -> None:
    assert status_of(1 << 120, []).total_ip_count == (1 << 63) - 1


def test_what_the_webhook_would_have_filled_in_is_filled_in_later() -> None:
    async def scene() -> None:
        scattered = POOL | {"spec": POOL["spec"] | {"ips": ["10.6.0.9", "10.6.0.5-10.6.0.8"]}}
        async with running((SPIDERIPPOOL, scattered)) as world:
            pool = await counted(world, SPIDERIPPOOL, "10-6-v4", totalIPCount=5)
            assert pool["spec"]["ipVersion"] == 4
            assert pool["spec"]["ips"] == ["10.6.0.5-10.6.0.9"]
            metadata = pool["metadata"]
            assert metadata["labels"] == {"ipam.spidernet.io/ippool-cidr": "10-6-0-0-16"}
            assert metadata["finalizers"] == ["spiderpool.spidernet.io"]

    run(scene)


def test_a_pool_says_when_its_last_address_is_taken() -> None:
    """The node's address, 10.6.212.101, is listed and never given."""
    two = POOL | {"spec": POOL["spec"] | {"ips": ["10.6.212.100-10.6.212.102"]}}
    addresses = {"addresses": [{"type": "InternalIP", "address": "10.6.212.101"}]}
    node = {"metadata": {"name": "n"}, "status": addresses}

    async def scene() -> None:
        objects = ((SPIDERIPPOOL, two), (NODE, node), (SPIDERIPBLOCK, block(o4="a")))
        async with running(*objects) as world:
            await counted(world, SPIDERIPPOOL, "10-6-v4", allocatedIPCount=1)
            assert not await told(world)
            taken = block(o4="a", o6="b")
            await world.api.patch(SPIDERIPBLOCK, taken["metadata"]["name"], {"spec": taken["spec"]})
            await counted(world, SPIDERIPPOOL, "10-6-v4", allocatedIPCount=2)
            (event,) = await until_told(world)
            assert event["reason"] == "PoolExhausted"
            assert event["message"] == "all 2 addresses that it may give are in use"
            assert event["involvedObject"]["name"] == "10-6-v4"

    run(scene)


async def told(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.api.list(EVENT))["items"]
    return found


async def until_told(world: World) -> list[dict[str, Any]]:
    while not (found := await told(world)):
        await asyncio.sleep(world.PAUSE)
    return found
