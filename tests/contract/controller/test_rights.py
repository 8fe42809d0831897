"""Rights that are taken away from a controller while it runs, and given back (RBAC)."""

from __future__ import annotations

import asyncio
import contextlib
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_servers import SERVERS
from awaited import Awaited
from controller_process import run
from rest import Api
from service_accounts import free_port, kubeconfig_of

from spiderpool.controller.manager import LEASE_NAME, Manager
from spiderpool.controller.settings import Settings
from spiderpool.kube import client as http
from spiderpool.kube import resources
from spiderpool.kube.client import connect
from spiderpool.kube.resources import LEASE, NAMESPACE, SPIDERIPPOOL, Resource
from spiderpool.metrics.http import Listen

ACCOUNT = "rights"
WELL = "ok\nend"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
KINDS = {
    kind
    for value in vars(resources).values()
    for kind in (value if isinstance(value, tuple) else (value,))
    if isinstance(kind, Resource)
}


def rules(lost: str = "", verbs: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Everything, but of the kind ``lost`` these verbs only."""
    return [
        {
            "apiGroups": [kind.group],
            "resources": [kind.plural, f"{kind.plural}/status", f"{kind.plural}/finalizers"],
            "verbs": verbs if kind.plural == lost else ["*"],
        }
        for kind in sorted(KINDS, key=lambda kind: (kind.group, kind.plural))
        if kind.plural != lost or verbs
    ]


class World(Awaited):
    """A controller in this process, as an account whose rights change."""

    PATIENCE, PAUSE = 40.0, 0.05

    def __init__(self, admin: Path, namespace: str, port: int) -> None:
        super().__init__(connect(str(admin)))
        self._api, self.namespace, self._port = Api.from_kubeconfig(admin), namespace, port

    async def allow(self, lost: str = "", verbs: tuple[str, ...] = ()) -> None:
        path, name = f"{RBAC}/clusterroles", f"{ACCOUNT}-{self.namespace}"
        role = {"metadata": {"name": name}, "rules": rules(lost, verbs)}
        await asyncio.to_thread(self._replace, f"{path}/{name}", path, role)

    def _replace(self, place: str, folder: str, obj: dict[str, Any]) -> None:
        if self._api.put(place, obj).code == 404:
            self._api.must(self._api.create(folder, obj))

    def bind(self) -> None:
        accounts = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        self._api.must(self._api.create(accounts, {"metadata": {"name": ACCOUNT}}))
        subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": self.namespace}
        name = f"{ACCOUNT}-{self.namespace}"
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
        self._api.must(self._api.create(f"{RBAC}/clusterrolebindings", binding))

    async def page(self) -> str:
        def look() -> str:
            url = f"http://127.0.0.1:{self._port}/v1/runtime/readiness"
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
            return ""

        return await asyncio.to_thread(look)

    async def until_page(self, beginning: str) -> None:
        async with asyncio.timeout(self.PATIENCE):
            while not (await self.page() + "end").startswith(beginning):
                await asyncio.sleep(self.PAUSE)

    async def pool_comes_and_goes(self) -> None:
        spec = {"subnet": "10.99.0.0/16", "ips": ["10.99.0.5"]}
        await self.client.create(SPIDERIPPOOL, {"metadata": {"name": ACCOUNT}, "spec": spec})
        await self.until(SPIDERIPPOOL, ACCOUNT, lambda o: o.get("status"))
        await self.client.delete(SPIDERIPPOOL, ACCOUNT)
        await self.until_gone(SPIDERIPPOOL, ACCOUNT)

    async def close(self) -> None:
        self._api.connection.close()
        await self.client.close()


@contextlib.asynccontextmanager
async def controller(admin: Path, namespace: str, folder: Path) -> AsyncIterator[World]:
    port = free_port()
    world = World(admin, namespace, port)
    await world.client.create(NAMESPACE, {"metadata": {"name": namespace}})
    await world.allow()
    await asyncio.to_thread(world.bind)
    config = await asyncio.to_thread(kubeconfig_of, admin, ACCOUNT, namespace, folder)
    listen = Listen("127.0.0.1", port)
    settings = Settings(kubeconfig=str(config), namespace=namespace, identity="me", health=listen)
    work = asyncio.ensure_future(Manager(settings).run())
    try:
        await world.until_page(WELL)
        yield world
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await world.client.delete(LEASE, LEASE_NAME, namespace)  # others share the server
        await world.close()


@pytest.mark.skipif("real" not in SERVERS, reason="the embedded server has no rights to take")
@pytest.mark.parametrize("kubeconfig", ["real"], indirect=True)
def test_the_rest_goes_on_and_what_is_missing_is_told_until_it_is_back(
    kubeconfig: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """A server lets a watch go on that it has let in: so these are short."""
    monkeypatch.setattr(http, "WATCH_SECONDS", 1)

    async def loses(world: World, lost: str, *verbs: str) -> None:
        caplog.clear()
        await world.allow(lost, verbs)
        await world.until_page(f"ok\n{lost}: {lost}.")
        await world.pool_comes_and_goes()
        await world.allow()
        await world.until_page(WELL)
        words = [r.message for r in caplog.records if f'resource "{lost}"' in r.message]
        assert 1 <= len(words) == len(set(words)) <= 2, "once each for list and watch"

    async def scene() -> None:
        async with controller(kubeconfig, "rights", tmp_path) as world:
            await loses(world, "jobs")
            await loses(world, "jobs", "get", "list")
            await loses(world, "spidersubnets")
            await loses(world, "virtualmachines")
            await world.allow("events")
            await world.pool_comes_and_goes()

    with caplog.at_level("INFO", "spiderpool"):
        run(scene)
