"""The agent's server on a socket, with a handler of the test's, and a peer that calls it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from spiderpool.agent.server import Plugin, Server
from spiderpool.agent.wire import RawRequest
from spiderpool.cni.request import CniRequest
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand

Work = Callable[[CniRequest, Namespace, Namespace | None], Awaitable[dict[str, Any]]]
Answer = tuple[int, Any]


class Handler:
    """Does what the test says; ``seen`` has the calls."""

    def __init__(self, work: Work | None = None) -> None:
        self.work = work
        self.seen: list[CniRequest] = []

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        self.seen.append(request)
        return await self.work(request, own, pod) if self.work else {}


class Readiness:
    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.ready.set()
        self.known: list[str] = []
        self.kernel = asyncio.Event()

    async def synced(self) -> None:
        await self.ready.wait()

    async def there(self) -> None:
        await self.kernel.wait()

    def problems(self, plugin: str) -> list[str]:
        return self.known


class Postponed:
    def __init__(self) -> None:
        self.saved: list[RawRequest] = []

    async def save(self, request: RawRequest) -> None:
        self.saved.append(request)


class World:
    def __init__(self, folder: Path, work: Work | None) -> None:
        self.path = folder / "agent.sock"
        self.handler = Handler(work)
        self.readiness, self.postponed = Readiness(), Postponed()
        needs = frozenset({CniCommand.ADD, CniCommand.DEL})
        plugins = {"spiderpool": Plugin(self.handler, needs)}
        self.server = Server(self.path, plugins, self.readiness, self.postponed)

    async def open(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        while True:
            try:
                connection.connect(str(self.path))
            except FileNotFoundError:
                await asyncio.sleep(0.001)
            else:
                return connection

    async def call(self, request: RawRequest, namespaces: int = 2) -> Answer:
        with await self.open() as connection:
            send(connection, request.encode(), namespaces)
            return await answer_on(connection)


def send(connection: socket.socket, data: bytes, namespaces: int = 2) -> None:
    descriptors = [os.open("/proc/self/ns/net", os.O_RDONLY) for _ in range(namespaces)]
    socket.send_fds(connection, [data], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


async def answer_on(connection: socket.socket) -> Answer:
    magic, status, size = struct.unpack(">4sII", await exactly(connection, 12))
    assert magic == b"SPCN"
    return status, json.loads(await exactly(connection, size)) if size else None


async def exactly(connection: socket.socket, size: int) -> bytes:
    loop, data = asyncio.get_running_loop(), b""
    while len(data) < size:
        chunk = await loop.sock_recv(connection, size - len(data))
        assert chunk, f"the answer ended after {data!r}"
        data += chunk
    return data


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def run(
    folder: Path, scenario: Callable[[World], Awaitable[None]], work: Work | None = None
) -> None:
    async def main() -> None:
        world = World(folder, work)
        serving = asyncio.create_task(world.server.run())
        try:
            async with asyncio.timeout(10):
                await scenario(world)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    before = descriptors()
    asyncio.run(main())
    assert descriptors() == before, "a descriptor was not closed"


def request(command: str = "ADD", config: dict[str, Any] | None = None, **env: str) -> RawRequest:
    fields = {
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": "c1",
        "CNI_NETNS": "/var/run/netns/p",
        "CNI_IFNAME": "net1",
        "CNI_ARGS": "K8S_POD_NAMESPACE=web;K8S_POD_NAME=nginx;K8S_POD_UID=u1",
        "SPIDERPOOL_PLUGIN": "spiderpool",
    }
    netconf = {"cniVersion": "1.1.0", "name": "net", "type": "spiderpool"} | (config or {})
    return RawRequest(fields | env, json.dumps(netconf).encode())
