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
from spiderpool.testing.kubefaults import Chooses, FaultyClient, nothing

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
    """An in-memory API that a controller works on, and what stands between the two."""

    PATIENCE, PAUSE = 10.0, 0.001

    def __init__(self, api: FakeClient, between: FaultyClient | None = None) -> None:
        super().__init__(api)
        self.api, self.between = api, between or FaultyClient(api)


@contextlib.asynccontextmanager
async def running(
    *objects: tuple[Resource, Object], forbidden: Chooses = nothing, api: FakeClient | None = None
) -> AsyncIterator[World]:
    """A controller that runs until the block ends; some requests are forbidden to it. ``api`` is
    what another one has left, in place of ``objects``."""
    api = api or FakeClient(objects)
    between = FaultyClient(api)
    between.forbidden = forbidden
    work = asyncio.ensure_future(Manager(Settings(identity="me"), between).run())
    try:
        yield World(api, between)
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
