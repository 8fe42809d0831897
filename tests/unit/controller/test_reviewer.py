"""What the rules say of objects that were stored while no webhook answered."""

import asyncio
from typing import Any

import pytest
from controller_world import World, coordinator, run, running

from spiderpool.controller.admission.poolbook import PoolReader
from spiderpool.kube.api import Object
from spiderpool.kube.resources import (
    EVENT,
    SPIDERCOORDINATOR,
    SPIDERIPPOOL,
    SPIDERMULTUSCONFIG,
    SPIDERRESERVEDIP,
    SPIDERSUBNET,
    Resource,
)

POOL = {"subnet": "10.6.0.0/16", "ips": ["10.6.0.5-10.6.0.9"]}


def obj(name: str, spec: dict[str, Any], **metadata: Any) -> Object:
    return {"metadata": {"name": name} | metadata, "spec": spec}


async def told(world: World, about: set[str]) -> dict[str, Object]:
    """Name of the object -> its event, once there is one of each of ``about``."""
    while True:
        events = (await world.api.list(EVENT))["items"]
        found = {e["involvedObject"]["name"]: e for e in events if e["reason"] == "NotUsable"}
        if about <= found.keys():
            return found
        await asyncio.sleep(world.PAUSE)


@pytest.mark.parametrize(
    ("resource", "wrong", "message"),
    [
        (
            SPIDERIPPOOL,
            obj("a", POOL | {"gateway": "10.6.0.7"}),
            "spec.gateway: 10.6.0.7 conflicts with spec.ips[0]",
        ),
        (
            SPIDERSUBNET,
            obj("a", {"subnet": "fd00::/64", "ips": ["fd00::9-fd00::1"]}),
            "spec.ips[0]: 'fd00::9-fd00::1': start is greater than end",
        ),
        (
            SPIDERRESERVEDIP,
            obj("a", {"ips": ["fd00::9-fd00::1"]}),
            "spec.ips[0]: 'fd00::9-fd00::1': start is greater than end",
        ),
        (
            SPIDERMULTUSCONFIG,
            obj("a", {"cniType": "custom", "customCNI": "{x}"}, namespace="default"),
            "spec.customCNI: not JSON at line 1",
        ),
        (
            SPIDERCOORDINATOR,
            coordinator("a", hijackCIDR=["0.0.0.0/0"]),
            "spec.hijackCIDR[0]: 0.0.0.0/0 is a default route",
        ),
    ],
)
def test_an_event_says_what_the_webhook_would_have_said(
    resource: Resource, wrong: Object, message: str
) -> None:
    async def scene() -> None:
        async with running((resource, wrong)) as world:
            event = (await told(world, {"a"}))["a"]
            assert event["type"] == "Warning"
            assert event["involvedObject"]["kind"] == resource.kind
            assert event["message"].startswith(message)

    run(scene)


def test_two_pools_that_were_made_at_once_and_overlap_both_say_so() -> None:
    async def scene() -> None:
        async with running() as world:
            other = POOL | {"ips": ["10.6.0.8-10.6.0.20"]}
            await asyncio.gather(
                world.api.create(SPIDERIPPOOL, obj("a", POOL)),
                world.api.create(SPIDERIPPOOL, obj("b", other)),
            )
            for name, event in (await told(world, {"a", "b"})).items():
                assert "overlap with IPPool " in event["message"], name
                assert "in IP ranges [10.6.0.8-10.6.0.9]" in event["message"], name

    run(scene)


def test_a_bad_object_keeps_no_good_one_waiting() -> None:
    async def scene() -> None:
        bad = obj("a", POOL | {"ips": ["nonsense"]})
        good = obj("b", {"subnet": "10.7.0.0/16", "ips": ["10.7.0.5"]})
        backward = obj("r", {"ips": ["10.9.0.9-10.9.0.1"]})
        async with running(
            (SPIDERIPPOOL, bad), (SPIDERRESERVEDIP, backward), (SPIDERIPPOOL, good)
        ) as world:
            await world.until(
                SPIDERIPPOOL, "b", lambda o: (o.get("status") or {}).get("totalIPCount")
            )
            assert (await told(world, {"a", "r"})).keys() == {"a", "r"}

    run(scene)


def test_each_version_of_a_pool_is_read_once() -> None:
    reader, pool, unreadable = PoolReader(), obj("a", POOL), obj("b", {"subnet": "x"})
    (first,) = reader((pool, unreadable))
    assert reader((pool, unreadable)) == [first]
    (changed,) = reader((obj("a", POOL),))
    assert changed is not first
