"""Addresses that outlive a pod: StatefulSets, virtual machines."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.kube.resources import POD, SPIDERENDPOINT, SPIDERIPPOOL, STATEFULSET
from spiderpool.testing.kubefaults import Fault

CONF = {"default_ipv4_ippool": ["a", "b"]}
ONE = {"default_ipv4_ippool": ["a"]}
WEB = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "s1"}
VM = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachineInstance",
    "name": "vm1",
    "uid": "v1",
}


def owned_by(owner: dict[str, Any]) -> dict[str, Any]:
    return {"ownerReferences": [{**owner, "controller": True}]}


async def statefulset(world: Any, replicas: int) -> None:
    obj = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"replicas": replicas}}
    await world.put(STATEFULSET, obj)


async def gone(world: Any, agent: Any, name: str, uid: str, container: str = "c1") -> None:
    await world.api.delete(POD, name, "default", grace_seconds=0)
    await agent.call("DEL", f"default/{name}", uid=uid, container=container)


def test_an_ordinal_keeps_its_address_over_its_pods(play: Any) -> None:
    async def story(world: Any) -> None:
        await statefulset(world, 2)
        await world.pool("a", "10.6.0.1-10.6.0.9")
        async with world.agent() as agent:
            first = await world.pod("default/web-0", **owned_by(WEB))
            other = await world.pod("default/web-1", **owned_by(WEB))
            ipam = {"default_ipv4_ippool": ["a"]}
            assert await agent.add("default/web-0", uid=first, ipam=ipam) == ["10.6.0.1/16"]
            assert await agent.add("default/web-1", uid=other, ipam=ipam) == ["10.6.0.2/16"]
            await gone(world, agent, "web-0", first)
            assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == ["held"] * 2
            second = await world.pod("default/web-0", node="worker02", **owned_by(WEB))
            async with world.agent("worker02") as elsewhere:
                assert await elsewhere.add(
                    "default/web-0", uid=second, ipam=ipam, container="c2"
                ) == ["10.6.0.1/16"]
        slot = (await world.ledger()).in_pool("a")[0].slot
        assert (slot.pod_uid, slot.node, slot.owner) == (second, "worker02", "StatefulSet/web")
        endpoint = await world.api.get(SPIDERENDPOINT, "web-0", "default")
        assert "ownerReferences" not in endpoint["metadata"]
        assert endpoint["status"]["current"]["uid"] == second

    play(story)


@pytest.mark.parametrize(
    ("replicas", "states"),
    [(2, ["held"] * 2), (1, ["held", "cooling"]), (0, ["cooling"] * 2), (None, ["cooling"] * 2)],
)
def test_what_the_statefulset_does_not_want_any_more_is_free_at_the_del(
    play: Any, replicas: int | None, states: list[str]
) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        if replicas is not None:
            await statefulset(world, replicas)
        async with world.agent() as agent:
            uids = {}
            for name in ("web-0", "web-1"):
                uids[name] = await world.pod(f"default/{name}", **owned_by(WEB))
                await agent.add(f"default/{name}", uid=uids[name], ipam=ONE)
            for name, uid in uids.items():
                await gone(world, agent, name, uid)
        assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == states
        left = (await world.api.list(SPIDERENDPOINT))["items"]
        assert len(left) == states.count("held")

    play(story)


@pytest.mark.parametrize(
    ("spec", "again"),
    [({}, "10.6.0.2/16"), ({"excludeIPs": ["10.6.0.2"]}, "10.6.0.3/16")],
    ids=["free", "not-given-any-more"],
)
def test_an_ordinal_that_comes_back_gets_what_nobody_has_taken_since(
    play: Any, spec: dict[str, Any], again: str
) -> None:
    """Scaled down and up again: sooner or later than the address rests."""

    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await statefulset(world, 2)
        async with world.agent() as agent:
            uids = {}
            for name in ("web-0", "web-1", "web-2"):
                uids[name] = await world.pod(f"default/{name}", **owned_by(WEB))
                await agent.add(f"default/{name}", uid=uids[name], ipam=ONE)
            await world.api.patch(STATEFULSET, "web", {"spec": {"replicas": 1}}, "default")
            for name in ("web-1", "web-2"):
                await gone(world, agent, name, uids[name])
            world.now += 3600
            await world.api.patch(SPIDERIPPOOL, "a", {"spec": spec})
            await world.settle()
            back = await world.pod("default/web-1", **owned_by(WEB))
            assert await agent.add("default/web-1", uid=back, ipam=ONE) == [again]

    play(story)


def test_a_statefulset_that_cannot_be_asked_keeps_its_addresses(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        async with world.agent() as agent:
            uid = await world.pod("default/web-0", **owned_by(WEB))
            await agent.add("default/web-0", uid=uid, ipam=ONE)
            agent.client.inject(Fault.UNREACHABLE, on=lambda asked: asked.resource == STATEFULSET)
            await gone(world, agent, "web-0", uid)
        assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == ["held"]

    play(story)


def test_a_statefulset_of_another_group_keeps_nothing(play: Any) -> None:
    async def story(world: Any) -> None:
        await statefulset(world, 1)
        await world.pool("a", "10.6.0.1-10.6.0.9")
        async with world.agent() as agent:
            other = owned_by(WEB | {"apiVersion": "apps.kruise.io/v1beta1"})
            uid = await world.pod("default/web-0", **other)
            await agent.add("default/web-0", uid=uid, ipam=ONE)
            await gone(world, agent, "web-0", uid)
        assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == ["cooling"]

    play(story)


def test_an_address_of_a_pool_that_does_not_fit_any_more_is_given_back(play: Any) -> None:
    async def story(world: Any) -> None:
        await statefulset(world, 1)
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pool("b", "10.6.1.1-10.6.1.9")
        async with world.agent() as agent:
            first = await world.pod("default/web-0", **owned_by(WEB))
            await agent.add("default/web-0", uid=first, ipam=CONF)
            await gone(world, agent, "web-0", first)
            await world.api.patch(SPIDERIPPOOL, "a", {"spec": {"nodeName": ["elsewhere"]}})
            second = await world.pod("default/web-0", **owned_by(WEB))
            await world.settle()
            found = await agent.add("default/web-0", uid=second, ipam=CONF, container="c2")
            assert found == ["10.6.1.1/16"]
        ledger = await world.ledger()
        assert [e.slot.state for e in ledger.in_pool("a")] == ["cooling"]
        assert [e.slot.state for e in ledger.in_pool("b")] == ["held"]

    play(story)


def test_a_pod_that_only_looks_like_an_ordinal_is_not_sticky(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        async with world.agent() as agent:
            for name in ("web-x", "webber-0", "web-01"):
                uid = await world.pod(f"default/{name}", **owned_by(WEB))
                await agent.add(f"default/{name}", uid=uid, ipam=ONE)
                await gone(world, agent, name, uid)
        assert {e.slot.state for e in (await world.ledger()).in_pool("a")} == {"cooling"}

    play(story)


def test_a_virtual_machine_keeps_its_address_over_restart_and_migration(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        ipam = {"default_ipv4_ippool": ["a"]}
        async with world.agent() as agent:
            source = await world.pod("default/virt-launcher-vm1-x", **owned_by(VM))
            target = await world.pod("default/virt-launcher-vm1-y", **owned_by(VM))
            first = await agent.add("default/virt-launcher-vm1-x", uid=source, ipam=ipam)
            moved = await agent.add(
                "default/virt-launcher-vm1-y", uid=target, ipam=ipam, container="c2"
            )
            assert moved == first
            await gone(world, agent, "virt-launcher-vm1-x", source)
            (entry,) = (await world.ledger()).in_pool("a")
            assert (entry.slot.pod_uid, entry.slot.state) == (target, "held")

    play(story)


def test_an_address_set_aside_is_replaced_when_the_nic_asks_again(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.1-10.6.0.9")
        await world.pod("default/x")
        async with world.agent() as agent:
            ipam = {"default_ipv4_ippool": ["a"]}
            await agent.add("default/x", ipam=ipam)
            (entry,) = agent.service.sources.ledger.in_pool("a")
            await agent.service.set_aside(entry, 600, 5)
            assert await agent.add("default/x", ipam=ipam, container="c2") == ["10.6.0.2/16"]
            assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == [
                "setAside",
                "held",
            ]

    play(story)
