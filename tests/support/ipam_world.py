"""A small cluster on the in-memory API, with agents that serve the plugin ``spiderpool``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import orjson
import pytest

from spiderpool.agent.caches import AgentCaches
from spiderpool.agent.coordinator_sources import CachedSources
from spiderpool.agent.ipam import IpamHandler
from spiderpool.agent.ipam_service import IpamService
from spiderpool.agent.ipam_sources import Sources
from spiderpool.cni.request import CniRequest, parse_request
from spiderpool.controller.collector import Collector, Watched
from spiderpool.ipam.conflicts import Fate
from spiderpool.ipam.facts import Pod
from spiderpool.ipam.ledger import Ledger
from spiderpool.kernel.in_process import InProcess
from spiderpool.kernel.role import KernelRole
from spiderpool.kube.api import Object
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import (
    NAMESPACE,
    NODE,
    POD,
    SPIDERENDPOINT,
    SPIDERIPBLOCK,
    SPIDERIPPOOL,
    SPIDERRESERVEDIP,
    STATEFULSET,
    Resource,
)
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.kube import FakeClient
from spiderpool.testing.kubefaults import FaultyClient, Request, any_write
from spiderpool.types.address import Address, Family
from spiderpool.types.modes import CniCommand
from spiderpool.types.names import IfName, NodeName


class FakeNamespace:
    cookie = 4711

    def is_same(self, other: object) -> bool:
        return self is other


class Agent:
    """One node's agent: its caches, its service, and what its users were told."""

    def __init__(
        self,
        world: World,
        node: str,
        kernel: KernelRole | None = None,
        families: frozenset[Family] = frozenset(Family),
    ) -> None:
        self.client = FaultyClient(world.api)
        self.informers = Informers(self.client)
        caches = AgentCaches.start(self.informers, NodeName(node))
        self.service = IpamService(self.client, Sources(caches), families, now=lambda: world.now)
        self.sources = CachedSources(self.client, caches, NodeName(node), self.service)
        self.warnings: list[tuple[str, str, str]] = []
        self.handler = IpamHandler(self.service, NodeName(node), self._warn, kernel or InProcess())

    async def _warn(self, pod: Pod, reason: str, message: str) -> None:
        self.warnings.append((pod.key, reason, message))

    async def call(
        self,
        command: str,
        pod: str,
        nic: str = "net1",
        container: str = "c1",
        uid: str = "",
        ipam: Mapping[str, Any] | None = None,
        previous: Mapping[str, Any] | None = None,
        attachments: list[dict[str, str]] | None = None,
    ) -> dict[str, Any]:
        """One CNI call for ``namespace/name``; ``ipam`` is the configuration's object."""
        namespace, _, name = pod.partition("/")
        args = f"K8S_POD_NAMESPACE={namespace};K8S_POD_NAME={name}"
        env = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": container,
            "CNI_NETNS": "/proc/1/ns/net",
            "CNI_IFNAME": nic,
            "CNI_ARGS": args + (f";K8S_POD_UID={uid}" if uid else ""),
            "SPIDERPOOL_PLUGIN": "spiderpool",
        }
        config: dict[str, Any] = {"cniVersion": "1.0.0", "name": "n", "type": "macvlan"}
        config["ipam"] = {"type": "spiderpool", **(ipam or {})}
        if previous is not None:
            config["prevResult"] = previous
        if attachments is not None:
            config |= {"cniVersion": "1.1.0", "cni.dev/valid-attachments": attachments}
        request = parse_request(env, orjson.dumps(config))
        own, netns = (cast(Namespace, FakeNamespace()) for _ in range(2))
        return await self.handler.handle(request, own, netns)

    async def add(self, pod: str, **kwargs: Any) -> list[str]:
        """ADD, and the addresses with prefix length."""
        answer = await self.call("ADD", pod, **kwargs)
        return [item["address"] for item in answer["ips"]]

    async def conflict(self, pod: str, address: str, nic: str = "net1") -> Fate:
        """What the coordinator is told when it has found the address in use."""
        namespace, _, name = pod.partition("/")
        args = {"K8S_POD_NAMESPACE": namespace, "K8S_POD_NAME": name}
        request = CniRequest(CniCommand.ADD, "coordinator", ifname=IfName(nic), args=args)
        return await self.sources.settle_conflict(request, Address(address))

    def requests(self, *verbs: str) -> list[Request]:
        """What was asked of the API, reads by list and watch left out."""
        wanted = verbs or ("get", "create", "update", "patch", "delete")
        return [request for request in self.client.requests if request.verb in wanted]

    async def close(self) -> None:
        await self.service.close()
        await self.informers.close()


class World:
    """The API, a clock, and the agents of the nodes."""

    def __init__(self) -> None:
        self.api = FakeClient()
        self.now = 1_800_000_000.0

    async def put(self, resource: Resource, obj: Object) -> Object:
        return await self.api.create(resource, obj)

    async def pool(self, name: str, *ips: str, subnet: str = "10.6.0.0/16", **spec: Any) -> None:
        body = {"subnet": subnet, "ips": list(ips), **spec}
        await self.put(SPIDERIPPOOL, {"metadata": {"name": name}, "spec": body})

    async def pod(self, key: str, node: str = "worker01", **metadata: Any) -> str:
        """Create a pod, and its UID."""
        namespace, _, name = key.partition("/")
        obj: Object = {"metadata": {"namespace": namespace, "name": name, **metadata}}
        obj["spec"] = {"nodeName": node}
        return str((await self.put(POD, obj))["metadata"]["uid"])

    async def node(self, name: str, address: str, **labels: str) -> None:
        status = {"addresses": [{"type": "InternalIP", "address": address}]}
        await self.put(NODE, {"metadata": {"name": name, "labels": labels}})
        await self.api.patch(NODE, name, {"status": status}, subresource="status")

    async def namespace(self, name: str, **metadata: Any) -> None:
        await self.put(NAMESPACE, {"metadata": {"name": name, **metadata}})

    async def reserve(self, name: str, *ips: str) -> None:
        await self.put(SPIDERRESERVEDIP, {"metadata": {"name": name}, "spec": {"ips": list(ips)}})

    async def ledger(self) -> Ledger:
        """What the API holds, read afresh."""
        return Ledger((await self.api.list(SPIDERIPBLOCK))["items"])

    @asynccontextmanager
    async def agent(
        self,
        node: str = "worker01",
        kernel: KernelRole | None = None,
        families: frozenset[Family] = frozenset(Family),
    ) -> AsyncIterator[Agent]:
        agent = Agent(self, node, kernel, families)
        await agent.informers.synced()
        try:
            yield agent
        finally:
            await agent.close()

    async def settle(self) -> None:
        """Let every watch deliver what has happened."""
        for _ in range(50):
            await asyncio.sleep(0)


def any_block_write(request: Request) -> bool:
    return request.resource == SPIDERIPBLOCK and any_write(request)


def collector_of(informers: Informers, now: Callable[[], float]) -> Collector:
    """A controller's collector; its caches have to be waited for."""
    watched = Watched(
        blocks=informers.of(SPIDERIPBLOCK),
        pods=informers.of(POD),
        nodes=informers.of(NODE),
        statefulsets=informers.of(STATEFULSET),
        endpoints=informers.of(SPIDERENDPOINT),
    )
    ledger = Ledger()
    watched.blocks.subscribe(ledger.apply)
    return Collector(informers.client, watched, ledger, now=now)


Story = Callable[[World], Coroutine[Any, Any, None]]


@pytest.fixture
def play() -> Callable[[Story], None]:
    """Runs a story in a world of its own."""

    def run(story: Story) -> None:
        async def limited() -> None:
            async with asyncio.timeout(20):
                await story(World())

        asyncio.run(limited())

    return run
