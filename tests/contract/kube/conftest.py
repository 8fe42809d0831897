"""The servers that the contract is checked on; each test finds its kinds empty."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.kubeapi.bootstrap import populate
from harness.kubeapi.builtin.services import ServiceRanges
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.launch import real_server
from harness.kubeapi.real import assets_folder
from harness.kubeapi.server import Server
from spiderpool.kube.access import Access, FixedCredentials
from spiderpool.kube.api import Client
from spiderpool.kube.client import HttpClient, connect
from spiderpool.kube.resources import CONFIGMAP, NAMESPACE, NODE, POD
from spiderpool.testing.kube import FakeClient

Scenario = Callable[[Client], Coroutine[Any, Any, None]]
Check = Callable[[Scenario], None]

SERVERS = ["fake", "embedded", *(["real"] if assets_folder() else [])]


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


def on_real(kubeconfig: Path) -> Check:
    """One server for all tests: starting it takes seconds."""

    def check(scenario: Scenario) -> None:
        async def main() -> None:
            client = connect(str(kubeconfig))
            try:
                await scenario(client)
            finally:
                await _empty(client)
                await client.close()

        asyncio.run(main())

    return check


async def _empty(client: Client) -> None:
    for resource in (CONFIGMAP, POD, NODE):
        for obj in (await client.list(resource))["items"]:
            metadata = obj["metadata"]
            name, namespace = metadata["name"], metadata.get("namespace")
            await client.delete(resource, name, namespace, grace_seconds=0)


@pytest.fixture(scope="session")
def real_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a kube-apiserver that runs meanwhile."""
    assets = assets_folder()
    assert assets is not None
    with real_server(tmp_path_factory.mktemp("kube"), assets) as kubeconfig:
        yield kubeconfig


@pytest.fixture(params=SERVERS)
def check(request: pytest.FixtureRequest) -> Check:
    """Runs a scenario against one kind of server."""
    match request.param:
        case "fake":
            return on_fake
        case "embedded":
            return on_embedded
    return on_real(request.getfixturevalue("real_kubeconfig"))
