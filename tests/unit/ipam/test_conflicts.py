"""Addresses that a host has which nobody here knows: who lets go of them, and who does not."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.ctl.release import release
from spiderpool.ipam.conflicts import Conflict, Fate, complaint
from spiderpool.ipam.facts import read_pod
from spiderpool.ipam.sticky import is_moving_in
from spiderpool.types.address import Address
from spiderpool.types.names import IfName

IPAM = {"default_ipv4_ippool": ["a"]}
WEB = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "s1"}
REPLICAS = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7f", "uid": "r1"}
VM = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "name": "vm", "uid": "v1"}


def made_by(owner: dict[str, Any]) -> dict[str, Any]:
    return {"ownerReferences": [{**owner, "controller": True}]}


@pytest.mark.parametrize("owner", [REPLICAS, None], ids=["Deployment", "alone"])
def test_a_pod_that_may_have_any_address_takes_another(play: Any, owner: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/web-0", **(made_by(owner) if owner else {}))
        async with world.agent() as agent:
            assert await agent.add("default/web-0", ipam=IPAM) == ["10.6.0.1/16"]
            assert await agent.conflict("default/web-0", "10.6.0.1") is Fate.SET_ASIDE
            again = await agent.add("default/web-0", ipam=IPAM, container="c2")
            assert again == ["10.6.0.2/16"]
            world.now += 601
            await world.pod("default/other")
            assert await agent.add("default/other", ipam=IPAM) == ["10.6.0.1/16"]

    play(story)


@pytest.mark.parametrize("owner", [WEB, VM], ids=["StatefulSet", "VirtualMachineInstance"])
def test_a_pod_that_must_have_this_address_keeps_it(play: Any, owner: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/web-0", **made_by(owner))
        async with world.agent() as agent:
            assert await agent.add("default/web-0", ipam=IPAM) == ["10.6.0.1/16"]
            writes = len(agent.requests("create", "update", "patch"))
            assert await agent.conflict("default/web-0", "10.6.0.1") is Fate.KEPT
            assert len(agent.requests("create", "update", "patch")) == writes
            again = await agent.add("default/web-0", ipam=IPAM, container="c2")
            assert again == ["10.6.0.1/16"]
            await world.pod("default/other")
            assert await agent.add("default/other", ipam=IPAM) == ["10.6.0.2/16"]

    play(story)


def test_people_can_give_it_another_one(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/web-0", **made_by(WEB))
        async with world.agent() as agent:
            await agent.add("default/web-0", ipam=IPAM)
            await world.reserve("r", "10.6.0.1")
            await release(agent.client, "10.6.0.1", force=True)
            await world.settle()
            again = await agent.add("default/web-0", ipam=IPAM, container="c2")
            assert again == ["10.6.0.2/16"]

    play(story)


def test_what_others_manage_is_left_to_them(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/web")
        async with world.agent() as agent:
            await agent.add("default/web", ipam=IPAM)
            assert await agent.conflict("default/web", "10.6.0.200") is Fate.NOT_OURS
            assert await agent.conflict("default/web", "10.6.0.1", nic="net2") is Fate.NOT_OURS

    play(story)


def test_each_address_is_complained_of_with_what_becomes_of_it() -> None:
    text = complaint(
        IfName("net1"),
        [
            Conflict(Address("10.6.0.1"), "02:00:00:00:00:01", Fate.SET_ASIDE),
            Conflict(Address("fd00::1"), "02:00:00:00:00:02", Fate.KEPT),
        ],
    )
    assert text == (
        "net1: 10.6.0.1 is in use by 02:00:00:00:00:01: it is set aside, and another one will "
        "be taken; fd00::1 is in use by 02:00:00:00:00:02: it stays this pod's, which starts "
        "when that host gives it up"
    )


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        (VM, {"kubevirt.io/migrationJobUID": "m1"}, True),
        (VM, {}, False),
        (WEB, {"kubevirt.io/migrationJobUID": "m1"}, False),
    ],
)
def test_a_virtual_machine_that_moves_has_both_pods_answer(
    owner: Any, labels: Any, expected: bool
) -> None:
    metadata = {"name": "x", "uid": "u", "labels": labels, **made_by(owner)}
    assert is_moving_in(read_pod({"metadata": metadata})) is expected
