"""A pod that asks again after the rules have changed, and what is told when nothing is left."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.errors import NoAddress
from spiderpool.kube.resources import POD, SPIDERIPPOOL

BOTH = {"default_ipv4_ippool": ["a"], "default_ipv6_ippool": ["b"]}
HELD = ["10.6.0.1/16", "fd00::1/64"]


async def pools(world: Any, **spec: Any) -> None:
    await world.pool("a", "10.6.0.1-10.6.0.9", **spec)
    await world.pool("b", "fd00::1-fd00::9", subnet="fd00::/64", **spec)


@pytest.mark.parametrize(
    "ipam",
    [
        {"default_ipv4_ippool": ["gone"]},
        {"default_ipv4_ippool": ["a"]},
        {"default_ipv4_ippool": ["a", "a"]},
        {},
    ],
    ids=["pool-is-gone", "one-family-less", "twice", "no-rule"],
)
def test_what_a_nic_holds_stays_whatever_the_rules_become(play: Any, ipam: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        async with world.agent() as agent:
            uid = await world.pod("default/x")
            assert await agent.add("default/x", ipam=BOTH) == HELD
            for name in ("a", "b"):
                await world.api.patch(SPIDERIPPOOL, name, {"spec": {"disable": True}})
            await world.settle()
            assert await agent.add("default/x", ipam=ipam, container="c2") == HELD
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            await agent.call("DEL", "default/x", container="c2", uid=uid)
            states = [str(e.slot.state) for e in (await world.ledger()).entries()]
            assert states == ["cooling", "cooling"]

    play(story)


def test_pools_of_both_families_are_told_together(play: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world, disable=True)
        await world.pod("default/x")
        async with world.agent() as agent:
            with pytest.raises(NoAddress) as refused:
                await agent.add("default/x", ipam=BOTH)
            for words in ("IPv4 IPPools of NIC net1", "a: disabled", "IPv6 IPPools", "b: disabled"):
                assert words in str(refused.value)

    play(story)
