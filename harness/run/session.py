"""One run's cluster with its ears and its servers: what steps act on and probes start from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from harness.capture.capture import Capture
from harness.expect.names import Names, PodFacts, nics_of
from harness.nodes.sandboxes import StopServing, ledger_name
from harness.probes.servers import ECHO_PORTS, EchoServers, ServedPort, Transport
from harness.run.apiservers import ApiServer
from harness.run.cluster import Cluster
from harness.scenario.model import Name, PodName, ServiceName
from harness.topology.model import UNDERLAY, Topology
from harness.trace.observe import read_wires
from harness.trace.wires import Wires
from spiderpool.errors import NotFound
from spiderpool.kube.api import Object
from spiderpool.kube.resources import POD, SERVICE
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.selection import Selection
from spiderpool.types.address import Address, parse_address

_NICS = Selection(tables=(), neighbours_of=(), rules=False)


class Session:
    """``names`` are the scenario's; ``folder`` is for the run's files."""

    def __init__(
        self,
        topology: Topology,
        names: Mapping[str, Name],
        folder: Path,
        apiserver: ApiServer = ApiServer.EMBEDDED,
    ) -> None:
        self.cluster = Cluster(topology, folder, self._serve_pod, apiserver)
        self.capture = Capture()
        self._names = names
        self._pod_nodes: dict[str, str] = {}
        self._servers: list[EchoServers] = []

    async def start(self) -> None:
        """Bring up the cluster; every node, router and host is heard, and echoes on port 7."""
        await self.cluster.start()
        for place in self.cluster.topology.namespaces:
            self.capture.add(place, self.cluster.ledger[place])
        for machine in self.cluster.topology.machines:
            servers = EchoServers(self.cluster.ledger[machine.name], machine.name)
            await servers.open(ECHO_PORTS)
            self._servers.append(servers)

    async def stop(self) -> None:
        """End everything."""
        for servers in self._servers:
            servers.close()
        await self.cluster.stop()
        await asyncio.to_thread(self.capture.close)

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """All places by the names that captures use."""
        return {name: self.cluster.ledger[name] for name in self.cluster.ledger.names}

    def wires(self) -> Wires:
        """How the places are connected now."""
        outer = {machine.name: UNDERLAY for machine in self.cluster.topology.machines}
        return read_wires(self.namespaces, outer | self._pod_nodes, UNDERLAY)

    async def names(self) -> Names:
        """What the scenario's names stand for now; a name without an object stands for nothing."""
        found = await asyncio.gather(*(self._meaning(meant) for meant in self._names.values()))
        meanings = dict(zip(self._names, found, strict=True))
        pods = {name: it for name, it in meanings.items() if isinstance(it, PodFacts)}
        services = {name: it for name, it in meanings.items() if isinstance(it, tuple)}
        nics = {place: nics_of(dump(ns, _NICS)) for place, ns in self.namespaces.items()}
        return Names(pods, services, nics)

    async def _meaning(self, meant: Name) -> PodFacts | tuple[Address, ...] | None:
        if isinstance(meant, PodName):
            return await self._pod(meant)
        service = await self._service(meant)
        if service is None:
            return None
        spec, where = service["spec"], f"Service {meant.service}: spec.clusterIPs"
        texts = spec.get("clusterIPs") or [spec.get("clusterIP")]
        return tuple(parse_address(text, where) for text in texts)

    async def _pod(self, meant: PodName) -> PodFacts | None:
        """The first by name of the selected pods that run."""
        listed = await self.cluster.client.list(POD, meant.namespace, label_selector=meant.selector)
        for pod in listed["items"]:
            node = pod["spec"].get("nodeName")
            ending = pod["metadata"].get("deletionTimestamp")
            if meant.node in (None, node) and not ending and node:
                name = pod["metadata"]["name"]
                return PodFacts(ledger_name(meant.namespace, name), name, node)
        return None

    async def _service(self, meant: ServiceName) -> Object | None:
        try:
            return await self.cluster.client.get(SERVICE, meant.service, meant.namespace)
        except NotFound:
            return None

    async def get(self, *arguments: str) -> Object | None:
        """What ``kubectl get`` finds; None when there is no such object."""
        text = await self.cluster.kubectl.run("get", *arguments, "--ignore-not-found", "-o", "json")
        found: Object | None = orjson.loads(text) if text.strip() else None
        return found

    async def _serve_pod(self, pod: Object, namespace: Namespace) -> StopServing:
        metadata = pod["metadata"]
        place = ledger_name(metadata["namespace"], metadata["name"])
        servers = EchoServers(namespace, place)
        await servers.open(container_ports(pod))
        self.capture.add(place, namespace)
        self._pod_nodes[place] = pod["spec"]["nodeName"]

        def stop() -> None:
            servers.close()
            self.capture.remove(place)
            self._pod_nodes.pop(place, None)

        return stop


def container_ports(pod: Object) -> Iterator[ServedPort]:
    """What the containers of a pod say that they serve, each port once."""
    ports = (
        port
        for container in pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
    )
    yield from dict.fromkeys(_served(port) for port in ports if _is_servable(port))


def _is_servable(port: Mapping[str, Any]) -> bool:
    return port.get("protocol", "TCP") in set(Transport)


def _served(port: Mapping[str, Any]) -> ServedPort:
    return ServedPort(Transport(port.get("protocol", "TCP")), port["containerPort"])
