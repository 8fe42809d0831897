"""The servers that the contract is checked on; each test gets an empty one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.kubeapi.bootstrap import populate
from harness.kubeapi.builtin.services import ServiceRanges
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.server import Server
from spiderpool.kube.access import Access, FixedCredentials
from spiderpool.kube.api import Client
from spiderpool.kube.client import HttpClient
from spiderpool.kube.resources import NAMESPACE
from spiderpool.testing.kube import FakeClient

Scenario = Callable[[Client], Awaitable[None]]
Check = Callable[[Scenario], None]


def on_fake(scenario: Scenario) -> None:
    asyncio.run(scenario(FakeClient([(NAMESPACE, {"metadata": {"name": "default"}})])))


def on_embedded(scenario: Scenario) -> None:
    async def main() -> None:
        cluster = Cluster(ServiceRanges(("10.233.0.0/18",), (30000, 32767)))
        await populate(cluster)
        server = Server(cluster, "")
        url = await server.start("127.0.0.1", 0)
        client = HttpClient(Access(url, None, FixedCredentials()))
        try:
            await scenario(client)
        finally:
            await client.close()
            await server.stop()

    asyncio.run(main())


@pytest.fixture(params=[on_fake, on_embedded], ids=["fake", "embedded"])
def check(request: pytest.FixtureRequest) -> Check:
    """Runs a scenario against one kind of server."""
    on_server: Check = request.param
    return on_server
