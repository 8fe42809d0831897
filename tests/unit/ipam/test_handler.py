"""ADD, DEL and CHECK of the plugin ``spiderpool``, on the in-memory API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spiderpool.errors import BadInput, CniCode, CniError, NoAddress
from spiderpool.kube.resources import POD, SPIDERENDPOINT, SPIDERIPPOOL
from spiderpool.testing.kubefaults import Fault

CONF = {"default_ipv4_ippool": ["a"]}


def test_the_page_gets_its_addresses_and_never_a_nodes_own(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.node("worker01", "10.6.212.101")
        await world.pool("a", "10.6.212.100-10.6.212.200", gateway="10.6.0.1")
        await world.pod("default/x")
        await world.pod("default/y")
        async with world.agent() as agent:
            answer = await agent.call("ADD", "default/x", ipam=CONF)
            assert answer == {
                "cniVersion": "1.0.0",
                "ips": [{"address": "10.6.212.100/16", "gateway": "10.6.0.1"}],
                "routes": [{"dst": "0.0.0.0/0", "gw": "10.6.0.1"}],
                "dns": {},
            }
            assert await agent.add("default/y", ipam=CONF) == ["10.6.212.102/16"]

    play(story)


def test_the_endpoint_shows_what_the_page_prints(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200", gateway="10.6.0.1")
        uid = await world.pod("default/x")
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF)
            await agent.add("default/x", nic="net2", ipam=CONF)
        endpoint = await world.api.get(SPIDERENDPOINT, "x", "default")
        assert endpoint["metadata"]["ownerReferences"][0]["uid"] == uid
        assert endpoint["status"]["ownerControllerType"] == "Pod"
        current = endpoint["status"]["current"]
        assert (current["uid"], current["node"]) == (uid, "worker01")
        assert [item["interface"] for item in current["ips"]] == ["net1", "net2"]
        assert current["ips"][0] == {
            "interface": "net1",
            "ipv4": "10.6.212.100/16",
            "ipv4Pool": "a",
            "ipv4Gateway": "10.6.0.1",
            "vlan": 0,
            "cleanGateway": False,
            "routes": [],
        }

    play(story)


def test_the_same_nic_gets_the_same_address_and_another_nic_another(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        await world.pod("default/x")
        async with world.agent() as agent:
            first = await agent.add("default/x", ipam=CONF)
            assert await agent.add("default/x", ipam=CONF, container="c2") == first
            assert await agent.add("default/x", ipam=CONF, nic="net2") == ["10.6.212.101/16"]
        held = (await world.ledger()).in_pool("a")
        assert [(e.slot.nic, e.slot.container_id) for e in held] == [("net1", "c2"), ("net2", "c1")]

    play(story)


def test_asking_again_in_the_same_sandbox_reads_nothing_and_confirms_by_the_write(
    play: Any,
) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        await world.pod("default/x")
        async with world.agent() as agent:
            first = await agent.add("default/x", ipam=CONF)
            agent.client.requests.clear()
            assert await agent.add("default/x", ipam=CONF) == first
            assert [request.verb for request in agent.requests()] == ["patch", "update"]

    play(story)


def test_nothing_is_remembered_of_pods_that_are_gone(play: Any) -> None:
    """Whether a DEL came for them or not."""

    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        async with world.agent() as agent:
            for name in ("x", "y"):
                await world.pod(f"default/{name}")
                await agent.add(f"default/{name}", ipam=CONF)
            assert set(agent.handler._endpoints._written) == {"default/x", "default/y"}
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            while "default/x" in agent.handler._endpoints._written:
                await asyncio.sleep(0)
            assert set(agent.handler._endpoints._written) == {"default/y"}

    play(story)


def test_an_endpoint_that_somebody_deleted_comes_back_with_the_next_sandbox(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        uid = await world.pod("default/x")
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF)
            await world.api.delete(SPIDERENDPOINT, "x", "default")
            await agent.add("default/x", ipam=CONF, container="c2")
        endpoint = await world.api.get(SPIDERENDPOINT, "x", "default")
        assert endpoint["status"]["current"]["uid"] == uid

    play(story)


@pytest.mark.parametrize("fault", list(Fault))
def test_an_endpoint_is_written_as_soon_as_the_api_lets_it(play: Any, fault: Fault) -> None:
    """However often that fails before: time ends it, no count."""

    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        await world.pod("default/x")
        async with world.agent() as agent:
            agent.client.inject(fault, 12, lambda request: request.resource == SPIDERENDPOINT)
            await agent.add("default/x", ipam=CONF)
            assert agent.client.faults_left == 0
        endpoint = await world.api.get(SPIDERENDPOINT, "x", "default")
        assert endpoint["status"]["current"]["ips"][0]["ipv4"] == "10.6.212.100/16"

    play(story)


def test_pods_that_ask_together_share_a_write(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.1-10.6.212.200")
        for number in range(16):
            await world.pod(f"default/p{number}")
        async with world.agent() as agent:
            adds = (agent.add(f"default/p{number}", ipam=CONF) for number in range(16))
            found = await asyncio.gather(*adds)
            assert len({address for addresses in found for address in addresses}) == 16
            assert not agent.requests("get", "update", "patch", "delete")
            assert len(agent.requests("create")) == 1 + 16

    play(story)


def test_del_frees_only_what_that_sandbox_holds(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        uid = await world.pod("default/x")
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF, container="old")
            await agent.add("default/x", ipam=CONF, container="new")
            await world.api.delete(POD, "x", "default")
            await world.settle()
            await agent.call("DEL", "default/x", container="old", uid=uid)
            assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == ["held"]
            await agent.call("DEL", "default/x", container="new", uid=uid)
            assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == ["cooling"]
            await agent.call("DEL", "default/x", container="new", uid=uid)

    play(story)


def test_a_pod_that_lives_on_keeps_its_address_over_a_new_sandbox(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        uid = await world.pod("default/x")
        async with world.agent() as agent:
            first = await agent.add("default/x", ipam=CONF)
            await agent.call("DEL", "default/x", uid=uid)
            assert [e.slot.state for e in (await world.ledger()).in_pool("a")] == ["held"]
            assert await agent.add("default/x", ipam=CONF, container="c2") == first

    play(story)


def test_a_pod_of_the_same_name_is_not_the_owner(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.200")
        old = await world.pod("default/x")
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF, uid=old)
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            new = await world.pod("default/x")
            assert await agent.add("default/x", ipam=CONF, uid=new, container="c2") == [
                "10.6.212.101/16"
            ]
            await agent.call("DEL", "default/x", uid=old, container="c1")
            ledger = await world.ledger()
            assert [(e.address, e.slot.state) for e in ledger.in_pool("a")] == [
                ("10.6.212.100", "cooling"),
                ("10.6.212.101", "held"),
            ]
        endpoint = await world.api.get(SPIDERENDPOINT, "x", "default")
        assert endpoint["status"]["current"]["uid"] == new
        assert [owner["uid"] for owner in endpoint["metadata"]["ownerReferences"]] == [new]

    play(story)


def test_a_full_pool_is_told_to_kubelet_and_to_the_pods_owner(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100")
        await world.pool("b", "10.6.212.101", disable=True)
        for name in ("x", "y"):
            await world.pod(f"default/{name}")
        conf = {"default_ipv4_ippool": ["a", "b"]}
        async with world.agent() as agent:
            await agent.add("default/x", ipam=conf)
            with pytest.raises(NoAddress) as refused:
                await agent.add("default/y", ipam=conf)
            assert "a: all IP addresses used out: 1/1; b: disabled" in str(refused.value)
            assert agent.warnings == [("default/y", "NoAddress", f"net1: {refused.value}")]

    play(story)


def test_a_full_pool_gives_its_address_back_before_the_watch_tells(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100")
        for name, node in (("x", "worker01"), ("y", "worker02")):
            await world.pod(f"default/{name}", node=node)
        async with world.agent() as one, world.agent("worker02") as two:
            uid = (await world.api.get(POD, "x", "default"))["metadata"]["uid"]
            await one.add("default/x", ipam=CONF)
            await world.settle()
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            await one.call("DEL", "default/x", uid=uid)
            assert await two.add("default/y", ipam=CONF) == ["10.6.212.100/16"]

    play(story)


def test_both_families_or_none(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100")
        await world.pool("six", "fd00::10", subnet="fd00::/64", gateway="fd00::1")
        for name in ("x", "y"):
            await world.pod(f"default/{name}")
        conf = {"default_ipv4_ippool": ["a"], "default_ipv6_ippool": ["six"]}
        async with world.agent() as agent:
            await agent.add("default/y", ipam={"default_ipv6_ippool": ["six"]})
            with pytest.raises(NoAddress, match="IPv6"):
                await agent.add("default/x", ipam=conf)
            await world.settle()
        assert (await world.ledger()).in_pool("a") == []

    play(story)


def test_an_api_that_does_not_answer_is_try_again_later(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100")
        uid = await world.pod("default/x")
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF)
            await world.api.delete(POD, "x", "default", grace_seconds=0)
            await world.settle()
            agent.client.down = True
            with pytest.raises(Exception) as refused:
                await agent.call("DEL", "default/x", uid=uid)
            assert refused.value.code is CniCode.TRY_AGAIN_LATER  # type: ignore[attr-defined]
            agent.client.down = False
            await agent.call("DEL", "default/x", uid=uid)

    play(story)


def test_check_compares_with_the_record(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.101")
        await world.pod("default/x")
        async with world.agent() as agent:
            answer = await agent.call("ADD", "default/x", ipam=CONF)
            await agent.call("CHECK", "default/x", previous=answer)
            with pytest.raises(CniError, match="recorded for sandbox c1"):
                await agent.call("CHECK", "default/x", previous=answer, container="c2")
            with pytest.raises(CniError, match="not in prevResult"):
                await agent.call("CHECK", "default/x", previous={"cniVersion": "1.0.0"})
            with pytest.raises(CniError, match="no address is recorded"):
                await agent.call("CHECK", "default/x", nic="net7", previous=answer)

    play(story)


def test_a_dead_pod_and_an_unknown_one_get_nothing(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100")
        uid = await world.pod("default/x")
        await world.api.delete(POD, "x", "default")
        async with world.agent() as agent:
            with pytest.raises(NoAddress, match="being deleted"):
                await agent.add("default/x", ipam=CONF)
            with pytest.raises(CniError, match="not in the API") as unknown:
                await agent.add("default/z", ipam=CONF)
            assert unknown.value.code is CniCode.TRY_AGAIN_LATER
            with pytest.raises(CniError, match="created again") as obsolete:
                await agent.add("default/x", ipam=CONF, uid=uid[::-1])
            assert obsolete.value.code is CniCode.UNKNOWN_CONTAINER

    play(story)


def test_a_pool_made_again_remembers_its_addresses(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.110")
        for name in ("x", "y"):
            await world.pod(f"default/{name}")
        async with world.agent() as agent:
            await agent.add("default/x", ipam=CONF)
            await world.api.delete(SPIDERIPPOOL, "a")
            await world.pool("a", "10.6.212.100-10.6.212.110")
            await world.settle()
            assert await agent.add("default/y", ipam=CONF) == ["10.6.212.101/16"]

    play(story)


def test_dual_stack_and_routes(play: Any) -> None:
    async def story(world: Any) -> None:
        routes = [{"dst": f"10.{n}.0.0/16", "gw": "10.6.0.2"} for n in (30, 31)]
        await world.pool("a", "10.6.212.100", gateway="10.6.0.1", routes=routes)
        await world.pool("six", "fd00::10-fd00::ffff", subnet="fd00::/64", gateway="fd00::1")
        own = '[{"dst":"10.31.0.0/16","gw":"10.6.0.9"},{"dst":"2001:db8::/32","gw":"fd00::9"}]'
        await world.pod("default/x", annotations={"ipam.spidernet.io/routes": own})
        far = own.replace("10.6", "9.9")
        await world.pod("default/y", annotations={"ipam.spidernet.io/routes": far})
        conf = {"default_ipv4_ippool": ["a"], "default_ipv6_ippool": ["six"]}
        async with world.agent() as agent:
            with pytest.raises(BadInput, match="the gateway is in no pool's subnet"):
                await agent.add("default/y", ipam=conf)
            answer = await agent.call("ADD", "default/x", ipam=conf)
            assert [(ip["address"], ip["gateway"]) for ip in answer["ips"]] == [
                ("10.6.212.100/16", "10.6.0.1"),
                ("fd00::10/64", "fd00::1"),
            ]
            assert [(route["dst"], route["gw"]) for route in answer["routes"]] == [
                ("10.30.0.0/16", "10.6.0.2"),
                ("10.31.0.0/16", "10.6.0.9"),
                ("2001:db8::/32", "fd00::9"),
                ("0.0.0.0/0", "10.6.0.1"),
                ("::/0", "fd00::1"),
            ]
            clean = await agent.call("ADD", "default/x", ipam={**conf, "clean_gateway": True})
            assert "0.0.0.0/0" not in [route["dst"] for route in clean["routes"]]

    play(story)


def test_gc_frees_what_the_runtime_does_not_know_if_the_pod_has_ended_too(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.110")
        async with world.agent() as agent:
            for name in ("known", "unknown", "alive"):
                await world.pod(f"default/{name}")
                await agent.add(f"default/{name}", ipam=CONF, container=name)
            await world.pod("default/far", node="worker02")
            async with world.agent("worker02") as other:
                await other.add("default/far", ipam=CONF, container="far")
            for name in ("known", "unknown", "far"):
                await world.api.delete(POD, name, "default", grace_seconds=0)
            await world.settle()
            known = [{"containerID": "known", "ifname": "net1"}]
            await agent.call("GC", "default/x", attachments=known)
        states = {e.slot.pod: e.slot.state for e in (await world.ledger()).in_pool("a")}
        assert states == {
            "default/known": "held",
            "default/unknown": "cooling",
            "default/alive": "held",
            "default/far": "held",
        }

    play(story)


def test_a_reserved_address_that_cannot_be_read_stops_everything(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.212.100-10.6.212.110")
        await world.reserve("r", "10.6.212.100-oops")
        await world.pod("default/x")
        async with world.agent() as agent:
            with pytest.raises(BadInput, match=r"SpiderReservedIP r: spec.ips\[0\]"):
                await agent.add("default/x", ipam=CONF)

    play(story)
