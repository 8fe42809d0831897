"""The controller as a process, and a client that looks at what it does."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from awaited import Awaited

from spiderpool.errors import KubeError, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect
from spiderpool.kube.resources import Resource


class Scene(Awaited):
    """A client, and a controller that runs in a process of its own."""

    PATIENCE, PAUSE = 30.0, 0.01

    def __init__(self, client: Client, process: asyncio.subprocess.Process) -> None:
        super().__init__(client)
        self.process = process


@contextlib.asynccontextmanager
async def controller(
    kubeconfig: Path, *options: str, namespace: str = "kube-system"
) -> AsyncIterator[Scene]:
    client = connect(str(kubeconfig))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "spiderpool.controller", f"--kubeconfig={kubeconfig}",
        f"--namespace={namespace}", *options, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Scene(client, process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()  # and not killed: the next one must not wait for its lease
        await process.wait()
        await client.close()


async def created(client: Client, resource: Resource, obj: Object) -> None:
    """The object afresh, whatever an earlier test left."""
    metadata = obj["metadata"]
    with contextlib.suppress(NotFound):
        await client.delete(resource, metadata["name"], metadata.get("namespace"))
    async with asyncio.timeout(30):
        while True:
            try:
                await client.create(resource, obj)
            except KubeError as exc:
                if exc.status != 409:
                    raise
                await asyncio.sleep(0.05)
            else:
                return


def run(scene: Any) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(90):
            await scene()

    asyncio.run(bounded())
