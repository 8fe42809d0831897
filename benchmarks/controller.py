"""Reactions of the controller, next to the least program that does the same, on both APIs.

    python -m benchmarks.controller [--json] [--rounds N] [--starts N]

The embedded API, and a real kube-apiserver where ``KUBEBUILDER_ASSETS`` has one. ``start`` is
from a process' start until a watcher sees its first NetworkAttachmentDefinition; its floor a
program that creates one and no more. ``change`` is from sending a write until a watcher
sees what it leads to, a SpiderMultusConfig and its attachment; its floor a bare watch of
ConfigMaps that writes what it sees into an attachment. Each takes turns with its floor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.kubeapi.launch import embedded_server, real_server
from harness.kubeapi.real import ASSETS, assets_folder
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import connect
from spiderpool.kube.resources import (
    CONFIGMAP,
    CRD,
    NETWORKATTACHMENT,
    SPIDERMULTUSCONFIG,
    Resource,
)
from spiderpool.types.crd import files

START, LEAST_START = "start", "start floor"
CHANGE, LEAST_CHANGE = "change", "change floor"
FLOORS = {START: LEAST_START, CHANGE: LEAST_CHANGE}
DEADLINE_SECONDS = 60
NAMESPACE, CHANGED, COPY = "default", "changed", "copy"
MACVLAN = {"cniType": "macvlan", "macvlan": {"master": ["ens192"]}}
LEAST_PROGRAM = """
import asyncio, sys
from spiderpool.kube.client import connect
from spiderpool.kube.resources import NETWORKATTACHMENT
async def main(config, name):
    client = connect(config)
    metadata = {"name": name, "namespace": "default"}
    await client.create(NETWORKATTACHMENT, {"metadata": metadata, "spec": {"config": "{}"}})
    await client.close()
asyncio.run(main(*sys.argv[1:]))
"""


Times = dict[str, list[float]]
"""Milliseconds by what was measured."""


@dataclass(frozen=True)
class Row:
    """Milliseconds on one API by what was measured: median and 95th percentile."""

    api: str
    ms: dict[str, float]
    p95_ms: dict[str, float]

    @property
    def ratios(self) -> dict[str, float]:
        return {what: self.ms[what] / self.ms[floor] for what, floor in FLOORS.items()}


class Attachments:
    """What one watch sees of them, and when."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen = asyncio.Queue[tuple[float, Object]]()

    async def follow(self, version: str) -> None:
        async for attachment in changes(self._client, NETWORKATTACHMENT, version):
            self._seen.put_nowait((time.perf_counter(), attachment))

    async def holding(self, name: str, text: str = "") -> float:
        """When ``name`` was seen with ``text`` in its configuration."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                when, found = await self._seen.get()
                if found["metadata"]["name"] == name and text in found["spec"]["config"]:
                    return when


async def changes(client: Client, resource: Resource, version: str) -> AsyncIterator[Object]:
    """Objects of the namespace as they change since ``version``, without end.

    Raises:
        SystemExit: the server ended the watch.
    """
    async for event in client.watch(resource, NAMESPACE, resource_version=version):
        if event["type"] != "BOOKMARK":
            yield event["object"]
    raise SystemExit(f"the API server ended the watch of {resource.plural}")


def named(name: str, **fields: object) -> Object:
    return {"metadata": {"name": name, "namespace": NAMESPACE}, **fields}


async def version_once_served(client: Client, resource: Resource) -> str:
    """A real server serves a new kind a moment after it has accepted its definition."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            with suppress(NotFound):
                listed = await client.list(resource, NAMESPACE)
                return str(listed["metadata"]["resourceVersion"])
            await asyncio.sleep(0.05)


@asynccontextmanager
async def meanwhile(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs ``work`` until the body ends; what it raises before is raised."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        yield
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def program(*words: str) -> AsyncIterator[None]:
    """A Python with ``words``, ended with the body."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=quiet)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


class Reactions:
    """What is timed, on one API whose attachments are followed."""

    def __init__(self, kubeconfig: Path, client: Client, attachments: Attachments) -> None:
        self._config, self._client, self._attachments = str(kubeconfig), client, attachments
        self._controller = ("-m", "spiderpool.controller", f"--kubeconfig={kubeconfig}")

    async def starts(self, times: int, into: Times) -> None:
        for number in range(times):
            name = f"start-{number}"
            await self._client.create(SPIDERMULTUSCONFIG, named(name, spec=MACVLAN))
            into[START].append(await self._start(name, *self._controller))
            least = f"least-{number}"
            words = "-c", LEAST_PROGRAM, self._config, least
            into[LEAST_START].append(await self._start(least, *words))

    async def _start(self, name: str, *words: str) -> float:
        began = time.perf_counter()
        async with program(*words):
            return (await self._attachments.holding(name) - began) * 1e3

    async def changes(self, rounds: int, into: Times) -> None:
        """The controller and the copier of the floor both run meanwhile."""
        client, attachments = self._client, self._attachments
        version = await version_once_served(client, CONFIGMAP)
        await client.create(NETWORKATTACHMENT, named(COPY, spec={"config": "{}"}))
        await client.create(CONFIGMAP, named(COPY, data={"config": "{}"}))
        async with program(*self._controller), meanwhile(self._copy(version)):
            await client.create(SPIDERMULTUSCONFIG, named(CHANGED, spec=MACVLAN))
            await attachments.holding(CHANGED)
            for number in range(1000, 1000 + rounds):
                network = {"spec": {"macvlan": {"mtu": number}}}
                change = await self._change(SPIDERMULTUSCONFIG, CHANGED, network, number)
                into[CHANGE].append(change)
                copied = {"data": {"config": f'{{"mtu":{number}}}'}}
                into[LEAST_CHANGE].append(await self._change(CONFIGMAP, COPY, copied, number))

    async def _change(self, resource: Resource, name: str, patch: Object, mtu: int) -> float:
        began = time.perf_counter()
        await self._client.patch(resource, name, patch, NAMESPACE)
        return (await self._attachments.holding(name, f'"mtu":{mtu}') - began) * 1e3

    async def _copy(self, version: str) -> None:
        async for found in changes(self._client, CONFIGMAP, version):
            if found["metadata"]["name"] == COPY:
                body = {"spec": found["data"]}
                await self._client.patch(NETWORKATTACHMENT, COPY, body, NAMESPACE)


async def measure(api: str, kubeconfig: Path, rounds: int, starts: int) -> Row:
    client, taken = connect(str(kubeconfig)), defaultdict[str, list[float]](list)
    try:
        for text in files().values():
            await client.create(CRD, yaml.safe_load(text))
        await version_once_served(client, SPIDERMULTUSCONFIG)
        version = await version_once_served(client, NETWORKATTACHMENT)
        attachments = Attachments(client)
        async with meanwhile(attachments.follow(version)):
            reactions = Reactions(kubeconfig, client, attachments)
            await reactions.starts(starts, taken)
            await reactions.changes(rounds, taken)
    finally:
        await client.close()
    p95 = {what: sorted(ms)[int(len(ms) * 0.95)] for what, ms in taken.items()}
    return Row(api, {what: statistics.median(ms) for what, ms in taken.items()}, p95)


def kubeconfigs() -> Iterator[tuple[str, Path]]:
    """Of each API that is there, while it runs."""
    with tempfile.TemporaryDirectory() as name:
        folder, assets = Path(name), assets_folder()
        with embedded_server(folder) as kubeconfig:
            yield "embedded", kubeconfig
        if assets:
            with real_server(folder, assets) as kubeconfig:
                yield "real", kubeconfig


def table(rows: Sequence[Row]) -> str:
    lines = [f"{'API':<10}{'':<14}{'median ms':>10}{'p95':>9}{'to its floor':>14}"]
    for row in rows:
        for what, median in row.ms.items():
            ratio = f"{row.ratios[what]:>12.1f} x" if what in row.ratios else ""
            lines.append(f"{row.api:<10}{what:<14}{median:>10.1f}{row.p95_ms[what]:>9.1f}{ratio}")
    if assets_folder() is None:
        lines.append(f"no real API: {ASSETS} names no folder with one; ci/kube-assets builds them")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print numbers as JSON")
    parser.add_argument("--rounds", type=int, default=50, help="changes of a network")
    parser.add_argument("--starts", type=int, default=5, help="of the controller")
    options = parser.parse_args()
    rows = [
        asyncio.run(measure(api, kubeconfig, options.rounds, options.starts))
        for api, kubeconfig in kubeconfigs()
    ]
    if options.json:
        print(json.dumps([vars(row) | {"ratio": row.ratios} for row in rows]))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
