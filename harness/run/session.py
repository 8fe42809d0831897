"""One run's cluster with its ears and its servers: what steps act on and probes start from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from harness.capture.capture import Capture
from harness.expect.names import Names, PodFacts, nics_of
from harness.nodes.sandboxes import ServingFailed, StopServing, ledger_name
from harness.probes.servers import ECHO_PORTS, EchoServers, ServedPort, Transport
from harness.run.cluster import Cluster
from harness.scenario.model import Name, PodName, ServiceName
from harness.topology.model import UNDERLAY
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
    """``names`` are the scenario's."""

    def __init__(self, cluster: Cluster, names: Mapping[str, Name]) -> None:
        self.cluster = cluster
        self.capture = Capture()
        self._names = names
        self._pod_nodes: dict[str, str] = {}
        self._servers: list[EchoServers] = []

    async def start(self) -> None:
        """Bring up the cluster; every node, router and host is heard, and echoes on port 7."""
        await self.cluster.start(self._serve_pod)
        for place, namespace in self.cluster.places.items():
            self.capture.add(place, namespace)
        for machine in self.cluster.machines:
            servers = EchoServers(self.cluster.places[machine], machine)
            self._servers.append(servers)
            try:
                await servers.open(ECHO_PORTS)
            except OSError as error:
                port = f"port {ECHO_PORTS[0].number}, where probes are answered"
                raise ServingFailed(f"{machine}: {port}: {error.strerror}") from None

    async def stop(self) -> None:
        """End everything."""
        for servers in self._servers:
            servers.close()
        await self.cluster.stop()
        await asyncio.to_thread(self.capture.close)

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """All places by the names that captures use."""
        return self.cluster.places

    def wires(self) -> Wires:
        """How the places are connected now."""
        outer = dict.fromkeys(self.cluster.machines, UNDERLAY)
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
        """By name, the first of the selected pods that run, or the one whose number it is."""
        listed = await self.cluster.client.list(POD, meant.namespace, label_selector=meant.selector)
        placed = [pod for pod in listed["items"] if _is_placed(pod, meant.node)]
        if len(placed) < meant.number:
            return None
        pod = placed[meant.number - 1]
        name = pod["metadata"]["name"]
        return PodFacts(ledger_name(meant.namespace, name), name, pod["spec"]["nodeName"])

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
        try:
            await servers.open(container_ports(pod))
        except OSError:
            servers.close()
            raise
        self.capture.add(place, namespace)
        self._pod_nodes[place] = pod["spec"]["nodeName"]

        def stop() -> None:
            servers.close()
            self.capture.remove(place)
            self._pod_nodes.pop(place, None)

        return stop


def _is_placed(pod: Object, node: str | None) -> bool:
    """Whether a pod is on a node, that one if it is given, and to stay there."""
    found = pod["spec"].get("nodeName")
    return bool(found) and node in (None, found) and not pod["metadata"].get("deletionTimestamp")


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
