"""``spiderpoolctl check``: what is wrong is named, and status 1 says that something is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from spiderpool.ctl import check
from spiderpool.ipam.invariants import Rule
from spiderpool.kube.resources import POD, SPIDERENDPOINT, SPIDERIPPOOL

CONF = {"default_ipv4_ippool": ["a"]}


async def one(world: Any) -> None:
    """A pod with an address, and a pool whose status says so."""
    await world.pool("a", "10.6.0.1-10.6.0.9")
    await world.pod("default/x")
    async with world.agent() as agent:
        await agent.add("default/x", ipam=CONF)
    status = {"status": {"allocatedIPCount": 1, "totalIPCount": 9}}
    await world.api.patch(SPIDERIPPOOL, "a", status, subresource="status")


def test_nothing_is_wrong(shell: Any) -> None:
    shell.prepare(one)
    assert shell.ctl("check") == (0, "0 problems\n", "")


def test_an_owner_that_is_gone_is_named(shell: Any) -> None:
    async def story(world: Any) -> None:
        await one(world)
        await world.api.delete(POD, "x", "default", grace_seconds=0)

    shell.prepare(story)
    status, out, _ = shell.ctl("check", "--json")
    (problem,) = json.loads(out)
    assert (status, problem["where"]) == (1, "10.6.0.1")
    assert problem["text"].endswith("but it does not exist")


def test_what_is_wrong_only_between_two_writes_is_not_told(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "BETWEEN_LOOKS", 0.01)

    async def story(world: Any) -> None:
        await one(world)
        (endpoint,) = (await world.api.list(SPIDERENDPOINT))["items"]
        await world.api.delete(SPIDERENDPOINT, "x", "default")
        (lasting,) = await check.lasting_problems(world.api)
        assert lasting.rule is Rule.ENDPOINT
        looking = asyncio.create_task(check.lasting_problems(world.api))
        await world.settle()
        await world.put(SPIDERENDPOINT, endpoint)
        assert await looking == []

    play(story)
