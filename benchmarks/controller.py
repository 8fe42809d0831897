"""Reactions of the controller, embedded and real API: ``python -m benchmarks.controller``.

Times are wall milliseconds from the process' start, or from the answer to a write, until a
watcher of the API sees the result.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from harness.kubeapi.launch import embedded_server, real_server
from harness.kubeapi.real import assets_folder
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect
from spiderpool.kube.resources import CRD, NETWORKATTACHMENT, SPIDERMULTUSCONFIG
from spiderpool.types.crd import files

STARTS, CHANGES = 5, 50
SPEC = {"cniType": "macvlan", "macvlan": {"master": ["ens192"]}}


def network(name: str) -> Object:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": SPEC}


@asynccontextmanager
async def controller(kubeconfig: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "spiderpool.controller", f"--kubeconfig={kubeconfig}",
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def seen(client: Client, version: str, holds: Callable[[Object], Any]) -> float:
    """When a watch from ``version`` on shows an attachment of which ``holds`` is true."""
    async for event in client.watch(NETWORKATTACHMENT, "default", resource_version=version):
        if event["type"] != "BOOKMARK" and holds(event["object"]):
            return time.perf_counter()
    raise AssertionError("the watch ended")


async def version_now(client: Client) -> str:
    listed = await client.list(NETWORKATTACHMENT, "default")
    return str(listed["metadata"]["resourceVersion"])


async def start_to_first(client: Client, kubeconfig: Path, name: str) -> float:
    await client.create(SPIDERMULTUSCONFIG, network(name))
    version = await version_now(client)
    began = time.perf_counter()
    async with controller(kubeconfig):
        ended = await seen(client, version, lambda o: o["metadata"]["name"] == name)
    return (ended - began) * 1000


async def change_to_change(client: Client, name: str, mtu: int) -> float:
    version = await version_now(client)
    waiting = asyncio.ensure_future(
        seen(client, version, lambda o: f'"mtu":{mtu},' in o["spec"]["config"])
    )
    await asyncio.sleep(0.01)
    await client.patch(SPIDERMULTUSCONFIG, name, {"spec": {"macvlan": {"mtu": mtu}}}, "default")
    began = time.perf_counter()
    return max(0.0, (await waiting - began) * 1000)


async def measure(kubeconfig: Path) -> tuple[list[float], list[float]]:
    client = connect(str(kubeconfig))
    for text in files().values():
        await client.create(CRD, yaml.safe_load(text))
    await asyncio.sleep(2)  # a real server serves a new kind a moment after it is established
    starts = [await start_to_first(client, kubeconfig, f"start-{n}") for n in range(STARTS)]
    async with controller(kubeconfig):
        await asyncio.sleep(2)
        changes = [await change_to_change(client, "start-0", 1000 + n) for n in range(CHANGES)]
    await client.close()
    return starts, changes


def report(server: str, starts: list[float], changes: list[float]) -> None:
    print(f"{server:9} start to first attachment  median {statistics.median(starts):7.1f} ms")
    high = sorted(changes)[int(len(changes) * 0.95)]
    median = statistics.median(changes)
    print(f"{server:9} change to change           median {median:7.1f} ms  p95 {high:7.1f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        servers: dict[str, AbstractContextManager[Path]] = {"embedded": embedded_server(folder)}
        if assets := assets_folder():
            servers["real"] = real_server(folder, assets)
        for name, server in servers.items():
            with server as kubeconfig:
                report(name, *asyncio.run(measure(kubeconfig)))


if __name__ == "__main__":
    main()
