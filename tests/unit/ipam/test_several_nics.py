"""What several NICs of one pod get, each for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spiderpool.errors import NoAddress
from spiderpool.kube.resources import POD, SPIDERENDPOINT, STATEFULSET
from spiderpool.types.address import Family

P = "ipam.spidernet.io/"
POOLS = [
    {"interface": "net1", "ipv4": ["a"]},
    {"interface": "net2", "ipv4": ["b"], "cleangateway": True},
]
WEB = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "s"}


async def pools(world: Any) -> None:
    await world.pool("a", "10.6.0.5-10.6.0.9", gateway="10.6.0.1")
    await world.pool("b", "10.7.0.5-10.7.0.9", subnet="10.7.0.0/16", gateway="10.7.0.1")


def test_a_route_of_the_pod_is_of_the_nic_that_reaches_its_gateway(play: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        routes = [{"dst": "10.9.0.0/16", "gw": "10.7.0.2", "comment": "others' keys do no harm"}]
        notes = {P + "ippools": json.dumps(POOLS), P + "routes": json.dumps(routes)}
        await world.pod("default/x", annotations=notes)
        async with world.agent() as agent:
            found = {
                nic: (await agent.call("ADD", "default/x", nic=nic))["routes"]
                for nic in ("net1", "net2")
            }
        assert found == {
            "net1": [{"dst": "0.0.0.0/0", "gw": "10.6.0.1"}],
            "net2": [{"dst": "10.9.0.0/16", "gw": "10.7.0.2"}],
        }

    play(story)


@pytest.mark.parametrize(("written", "clean"), [(True, True), (False, False), (None, True)])
def test_the_pods_word_on_its_gateway_is_nearer_than_the_networks(
    play: Any, written: bool | None, clean: bool
) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        item = {"ipv4": ["a"]} | ({} if written is None else {"cleangateway": written})
        await world.pod("default/x", annotations={P + "ippools": json.dumps([item])})
        async with world.agent() as agent:
            answer = await agent.call("ADD", "default/x", ipam={"clean_gateway": True})
        routes = answer.get("routes", [])
        assert routes == ([] if clean else [{"dst": "0.0.0.0/0", "gw": "10.6.0.1"}])

    play(story)


def test_each_nic_of_an_ordinal_takes_over_its_own_and_is_shown_once(play: Any) -> None:
    async def story(world: Any) -> None:
        await world.pool("a", "10.6.0.5-10.6.0.9")
        name = {"name": "web", "namespace": "default"}
        await world.put(STATEFULSET, {"metadata": name, "spec": {"replicas": 1}})
        owner = [{**WEB, "controller": True}]
        ipam = {"default_ipv4_ippool": ["a"]}
        async with world.agent() as agent:
            for order in (("net1", "net2"), ("net2", "net1")):
                await world.pod("default/web-0", ownerReferences=owner)
                found = {nic: await agent.add("default/web-0", nic=nic, ipam=ipam) for nic in order}
                again = await agent.add("default/web-0", nic="net2", ipam=ipam, container="c2")
                assert found == {"net1": ["10.6.0.5/16"], "net2": ["10.6.0.6/16"]}
                assert again == found["net2"]
                await world.api.delete(POD, "web-0", "default", grace_seconds=0)
                await world.settle()
        status = (await world.api.get(SPIDERENDPOINT, "web-0", "default"))["status"]
        assert sorted((item["interface"], item["ipv4"]) for item in status["current"]["ips"]) == [
            ("net1", "10.6.0.5/16"),
            ("net2", "10.6.0.6/16"),
        ]

    play(story)


def test_a_pod_of_a_deployment_is_shown_as_the_deployments(play: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4", "uid": "r"}
        labels = {"pod-template-hash": "5d4"}
        owners = [{**owner, "controller": True}]
        await world.pod("default/web-5d4-x", ownerReferences=owners, labels=labels)
        async with world.agent() as agent:
            await agent.add("default/web-5d4-x", ipam={"default_ipv4_ippool": ["a"]})
        status = (await world.api.get(SPIDERENDPOINT, "web-5d4-x", "default"))["status"]
        assert status["ownerControllerType"] == "Deployment"
        assert status["ownerControllerName"] == "web"

    play(story)


def test_a_family_that_the_cluster_does_not_use_is_left_out(play: Any) -> None:
    async def story(world: Any) -> None:
        await pools(world)
        await world.pool("six", "fd00::1-fd00::9", subnet="fd00::/64")
        await world.pod("default/x")
        both = {"default_ipv4_ippool": ["a"], "default_ipv6_ippool": ["six"]}
        async with world.agent(families=frozenset({Family.V4})) as agent:
            with pytest.raises(NoAddress, match="IPv6 pools only, and IPv6 is disabled in this"):
                await agent.add("default/x", ipam={"default_ipv6_ippool": ["six"]})
            assert await agent.add("default/x", ipam=both) == ["10.6.0.5/16"]

    play(story)
