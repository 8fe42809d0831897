"""A controller on the in-memory API, and a way to wait for what it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from awaited import Awaited

from spiderpool.controller.manager import Manager
from spiderpool.controller.settings import Settings
from spiderpool.kube.api import Object
from spiderpool.kube.resources import Resource
from spiderpool.testing.kube import FakeClient

PAGE_NETWORK = {
    "metadata": {"name": "macvlan-ens192", "namespace": "default"},
    "spec": {
        "cniType": "macvlan",
        "macvlan": {"master": ["ens192"], "ippools": {"ipv4": ["10-6-v4"]}, "vlanID": 0},
    },
}
KUBEADM = {
    "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
    "data": {
        "ClusterConfiguration": "networking:\n"
        "  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n"
    },
}


def coordinator(name: str = "default", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"podCIDRType": "cluster"} | spec}


class World(Awaited):
    """An in-memory API that a controller works on."""

    PATIENCE, PAUSE = 10.0, 0.001

    def __init__(self, api: FakeClient) -> None:
        super().__init__(api)
        self.api = api


@contextlib.asynccontextmanager
async def running(*objects: tuple[Resource, Object]) -> AsyncIterator[World]:
    """A controller that runs until the block ends."""
    api = FakeClient(objects)
    work = asyncio.ensure_future(Manager(Settings(identity="me"), api).run())
    try:
        yield World(api)
    finally:
        assert not work.done() or work.result()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scene()

    asyncio.run(bounded())
