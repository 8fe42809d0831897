"""An agent that loses rights while it runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spiderpool.errors import KubeError
from spiderpool.kube.following import behind
from spiderpool.kube.resources import SPIDERIPBLOCK
from spiderpool.testing.kubefaults import nothing

CONF = {"default_ipv4_ippool": ["a"]}


def test_addresses_are_given_by_what_it_knows(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.node("worker01", "10.6.0.1")
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.reserve("r", "10.6.0.2")
        await world.pod("default/x")
        async with world.agent() as agent:
            agent.client.forbidden = lambda request: request.verb in ("list", "watch")
            await world.api.end_watches()
            while 'resource "nodes"' not in " ".join(behind(agent.informers)):
                await asyncio.sleep(0.01)
            assert await agent.add("default/x", ipam=CONF) == ["10.6.0.3/16"]

    play(story)


def test_a_write_that_is_forbidden_is_the_answer_and_the_next_one_is_not(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/x")
        async with world.agent() as agent:
            agent.client.forbidden = lambda request: request.resource == SPIDERIPBLOCK
            with pytest.raises(KubeError, match='cannot create resource "spiderip'):
                await agent.add("default/x", ipam=CONF)
            agent.client.forbidden = nothing
            assert await agent.add("default/x", ipam=CONF) == ["10.6.0.1/16"]

    play(story)
