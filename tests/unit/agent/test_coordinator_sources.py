"""What the coordinator is told of pod, node and cluster, on the in-memory API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from spiderpool.agent.caches import AgentCaches, CacheReadiness
from spiderpool.agent.coordinator_sources import CachedSources
from spiderpool.agent.ipam_service import IpamService
from spiderpool.agent.ipam_sources import Sources
from spiderpool.cni.request import CniRequest
from spiderpool.errors import Unreachable
from spiderpool.kube.api import Object
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import NODE, POD, SPIDERCOORDINATOR
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import FaultyClient
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import NodeName

ADDRESSES = [
    {"type": "Hostname", "address": "worker01"},
    {"type": "InternalIP", "address": "10.6.212.132"},
    {"type": "ExternalIP", "address": "1.2.3.4"},
    {"type": "InternalIP", "address": "FD00::132"},
]


class World:
    def __init__(self) -> None:
        self.api = FakeClient()
        self.client = FaultyClient(self.api)
        self.informers = Informers(self.client)
        self.caches = AgentCaches.start(self.informers, NodeName("worker01"))
        self.readiness = CacheReadiness(self.informers, self.caches, NodeName("worker01"))
        ipam = IpamService(self.client, Sources(self.caches))
        self.sources = CachedSources(self.client, self.caches, NodeName("worker01"), ipam)

    async def coordinator(self, **status: Any) -> None:
        spec = {"mode": "overlay", "podCIDRType": "cluster"}
        await self.api.create(SPIDERCOORDINATOR, {"metadata": {"name": "default"}, "spec": spec})
        if status:
            body = {"status": status}
            await self.api.patch(SPIDERCOORDINATOR, "default", body, subresource="status")

    async def pod(self) -> Object:
        metadata = {"name": "nginx", "namespace": "web"}
        return await self.api.create(POD, {"metadata": metadata, "spec": {"nodeName": "worker01"}})

    async def in_step(self) -> None:
        await self.informers.synced()
        for _ in range(30):
            await asyncio.sleep(0)


def request(uid: str = "") -> CniRequest:
    args = {"K8S_POD_NAMESPACE": "web", "K8S_POD_NAME": "nginx", "K8S_POD_UID": uid}
    return CniRequest(CniCommand.ADD, "coordinator", args=args)


def run(scenario: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World()
        await world.api.create(NODE, {"metadata": {"name": "worker01"}})
        status = {"status": {"addresses": ADDRESSES}}
        await world.api.patch(NODE, "worker01", status, subresource="status")
        try:
            await scenario(world)
        finally:
            await world.informers.close()

    asyncio.run(main())


def test_everything_at_hand() -> None:
    async def scenario(world: World) -> None:
        await world.coordinator(phase="Synced", overlayPodCIDR=["10.233.64.0/18"])
        made = await world.pod()
        await world.in_step()
        asked = len(world.client.requests)
        coordinator = world.sources.coordinator()
        assert coordinator is not None
        assert coordinator["status"]["phase"] == "Synced"
        assert world.sources.node_addresses() == ("10.6.212.132", "fd00::132")
        assert await world.sources.pod(request()) == made
        assert await world.sources.pod(request(made["metadata"]["uid"])) == made
        assert len(world.client.requests) == asked, "an ADD asked the API"

    run(scenario)


def test_a_pod_that_the_watch_has_not_told_of_is_asked_for_once() -> None:
    async def scenario(world: World) -> None:
        await world.in_step()
        made = await world.pod()
        for _ in range(2):
            assert await world.sources.pod(request(made["metadata"]["uid"])) == made
        assert sum(asked.verb == "get" for asked in world.client.requests) == 1

    run(scenario)


def test_another_pod_of_that_name_is_not_meant() -> None:
    async def scenario(world: World) -> None:
        await world.pod()
        await world.in_step()
        assert await world.sources.pod(request("another")) is None

    run(scenario)


def test_a_pod_that_is_nowhere() -> None:
    async def scenario(world: World) -> None:
        await world.in_step()
        assert await world.sources.pod(request()) is None
        world.client.down = True
        with pytest.raises(Unreachable):
            await world.sources.pod(request())

    run(scenario)


def test_readiness_follows_the_cluster() -> None:
    async def scenario(world: World) -> None:
        await world.coordinator(phase="NotReady", reason="no kubeadm-config")
        await world.in_step()
        assert world.readiness.problems("spiderpool") == []
        words = "SpiderCoordinator default is NotReady: no kubeadm-config"
        assert world.readiness.problems("coordinator") == [words]
        await world.api.delete(NODE, "worker01")
        await world.in_step()
        words = "--node: the cluster has no Node worker01; give the name of this one"
        assert world.readiness.problems("spiderpool") == [words]

    run(scenario)


def test_readiness_says_what_has_not_been_listed() -> None:
    async def main() -> None:
        world = World()
        (problem,) = world.readiness.problems("spiderpool")
        assert "not been answered yet (and 6 more kinds)" in problem
        await world.informers.close()

    asyncio.run(main())
