"""Executables that a recorded call is put to: our thin plugin with its agent, or another."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Protocol

from harness.golden.recorded import Case
from harness.golden.upstream_agent import upstream_agent
from harness.netns.process import Completed, run
from spiderpool.agent.caches import COORDINATOR
from spiderpool.agent.coordinator import CoordinatorHandler
from spiderpool.agent.server import Plugin, Server
from spiderpool.agent.wire import RawRequest
from spiderpool.cni.install import install
from spiderpool.cni.request import CniRequest
from spiderpool.errors import BadInput
from spiderpool.ipam.attachments import NETWORKS
from spiderpool.ipam.conflicts import Fate
from spiderpool.kernel.in_process import InProcess
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address

Object = dict[str, Any]


class Executable(Protocol):
    """A CNI plugin that can be called."""

    async def call(self, environment: Mapping[str, str], stdin: bytes) -> Completed:
        """Run it in the node's namespace; ``environment`` are the ``CNI_*`` variables."""
        ...


class Foreign:
    """Any CNI plugin; a call raises BadInput when it is none for this machine."""

    def __init__(self, path: Path, node: Namespace) -> None:
        self._path, self._node = path, node

    async def call(self, environment: Mapping[str, str], stdin: bytes) -> Completed:
        complete = {"CNI_PATH": str(self._path.parent), **environment}
        try:
            return await run([str(self._path)], self._node, env=complete, stdin=stdin)
        except OSError as error:
            problem = f"cannot be executed: {error.strerror}"
            remedy = "give a CNI plugin that is built for this machine"
            raise BadInput(str(self._path), problem, remedy) from None


class BesideAnAgent:
    """A CNI plugin that asks upstream's agent for the coordinator's configuration."""

    def __init__(self, plugin: Executable, configuration: Object) -> None:
        self._plugin, self._configuration = plugin, configuration

    async def call(self, environment: Mapping[str, str], stdin: bytes) -> Completed:
        async with upstream_agent(self._answer):
            return await self._plugin.call(environment, stdin)

    async def _answer(self, question: Mapping[str, Any]) -> Object:
        return self._configuration


class OurCoordinator:
    """The thin plugin, exec'd, and an agent in this process that knows what is recorded."""

    def __init__(self, case: Case, node: Namespace, folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._sources = RecordedSources(case)
        self._plugin = Foreign(self._folder / COORDINATOR, node)
        install(self._folder)

    async def call(self, environment: Mapping[str, str], stdin: bytes) -> Completed:
        socket = self._folder / "agent.sock"
        handler = CoordinatorHandler(self._sources, self._folder / "footprints", InProcess())
        plugins = {COORDINATOR: Plugin(handler, frozenset())}
        server = Server(socket, plugins, AlwaysReady(), NeverPostponed())
        serving = asyncio.create_task(server.run())
        await asyncio.sleep(0)  # it listens from its first step on
        try:
            mine = {"SPIDERPOOL_SOCKET": str(socket)}
            return await self._plugin.call({**environment, **mine}, stdin)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


class RecordedSources:
    """:class:`spiderpool.agent.coordinator.Sources` of a case."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def coordinator(self) -> Object:
        return self._case.coordinator

    def node_addresses(self) -> tuple[Address, ...]:
        """Node objects are not recorded."""
        return ()

    async def pod(self, request: CniRequest) -> Object:
        """With the networks of its NICs, where the recorded annotations lack them."""
        networks = ",".join(f"{nic}@{nic}" for nic in self._case.nics[1:])
        metadata = {
            "name": request.pod_name,
            "namespace": request.pod_namespace,
            "uid": request.pod_uid,
            "annotations": {NETWORKS: networks, **self._case.annotations},
        }
        return {"metadata": metadata, "spec": {}}

    async def settle_conflict(self, request: CniRequest, address: Address) -> Fate:
        """Nobody allocates here."""
        return Fate.NOT_OURS

    def is_probed(self, request: CniRequest) -> bool:
        return False


class AlwaysReady:
    """There are no caches to wait for."""

    async def synced(self) -> None:
        return

    async def there(self) -> None:
        return

    def problems(self, plugin: str) -> list[str]:
        return []


class NeverPostponed:
    """An agent that is always ready postpones nothing."""

    async def save(self, request: RawRequest) -> NoReturn:
        raise AssertionError("postponed")
