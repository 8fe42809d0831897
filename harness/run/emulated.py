"""The cluster that a run makes: fabric, API server, controllers, kubelets, Spiderpool."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from harness.netns.ledger import Ledger
from harness.nodes import plugins
from harness.nodes.calico import Calico
from harness.nodes.control.plane import run_control_plane
from harness.nodes.kubelet import Kubelet
from harness.nodes.kubeproxy import KubeProxy
from harness.nodes.multus import Multus
from harness.nodes.sandboxes import Sandboxes, Serve
from harness.run import apiservers
from harness.run.agents import SOCKET, AgentRoles, NodeAgent
from harness.run.apiservers import ApiServer
from harness.run.components import ComponentFailed, Components, module
from harness.run.kubectl import Kubectl
from harness.run.problems import PartEnded
from harness.run.writes import Write, words
from harness.scenario.model import Part
from harness.topology.build import build
from harness.topology.model import Machine, Topology
from spiderpool.kube import resources
from spiderpool.kube.api import Client
from spiderpool.kube.client import connect
from spiderpool.kube.informer import Informers, cancel
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.names import IfName, NodeName

SETTLE_SECONDS = 10.0

CRDS = Path(__file__).parents[2] / "crds"


class EmulatedCluster:
    """A :class:`harness.run.cluster.Cluster`; ``folder`` is empty and writable."""

    def __init__(
        self,
        topology: Topology,
        folder: Path,
        apiserver: ApiServer = ApiServer.EMBEDDED,
        agent_roles: AgentRoles = AgentRoles.TOGETHER,
    ) -> None:
        self.topology, self.folder, self.apiserver = topology, folder, apiserver
        self._agent_roles = agent_roles
        self.ledger = Ledger()
        self.components = Components(folder / "logs")
        self.kubeconfig = folder / "kubeconfig"
        self.kubectl = Kubectl(self.kubeconfig, folder)
        self._client: Client | None = None
        self._informers: Informers | None = None
        self._proxies: list[KubeProxy] = []
        self._sandboxes: dict[str, Sandboxes] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.timings: dict[str, float] = {}

    async def start(self, serve: Serve) -> None:
        """Bring up everything but Spiderpool: nodes are Ready, Services work, pods start."""
        api = asyncio.create_task(self._start_api())
        plugins.fill(self.plugin_folder)
        started = time.monotonic()
        build(self.topology, self.ledger)
        self.timings["fabric up"] = time.monotonic() - started
        await api
        self._client = connect(str(self.kubeconfig))
        self._informers = Informers(self._client)
        self._run(run_control_plane(self._client), "control plane")
        services = self._informers.of(resources.SERVICE)
        slices = self._informers.of(resources.ENDPOINTSLICE)
        for machine in self.topology.nodes:
            namespace = self.ledger[machine.name]
            proxy = KubeProxy(NodeName(machine.name), namespace, self.topology, services, slices)
            self._proxies.append(proxy)
            self._run(proxy.run(), f"kube-proxy on {machine.name}")
        await self._create_crds()
        await asyncio.gather(*(self._start_kubelet(each, serve) for each in self.topology.nodes))

    @property
    def places(self) -> Mapping[str, Namespace]:
        return {name: self.ledger[name] for name in self.ledger.names}

    @property
    def machines(self) -> tuple[str, ...]:
        return tuple(machine.name for machine in self.topology.machines)

    async def logs(self) -> Mapping[str, bytes]:
        return {name: self.components.log(name).read_bytes() for name in self.components.names}

    async def write(self, step: Write) -> None:
        await self.kubectl.run(*words(step))

    async def install_spiderpool(self) -> None:
        """Start the controller and an agent on every node, and wait until they serve."""
        if self._agent_roles is AgentRoles.SPLIT:
            await asyncio.gather(*map(self._start_kernel_role, self.topology.nodes))
        agents = (self._start_agent(machine) for machine in self.topology.nodes)
        await asyncio.gather(self._start_controller(), *agents)

    def kill(self, part: Part, node: str | None) -> None:
        """End a program of Spiderpool's at once.

        Raises:
            ComponentFailed: it does not run.
        """
        self.components.kill(_component(part, node))

    async def check_nic(self, node: str, place: str, nic: IfName) -> None:
        """CNI CHECK of a NIC of a pod on ``node``; see :meth:`Sandboxes.check`."""
        await self._sandboxes[node].check(place, nic)

    async def end(self, part: Part, node: str | None) -> None:
        """End a program of Spiderpool's as an upgrade does.

        Raises:
            ComponentFailed: it does not run, or does not end well.
        """
        await self.components.end(_component(part, node))

    async def start_again(self, part: Part, node: str | None) -> None:
        """Start a program that was ended; its socket may be there still.

        Raises:
            ComponentFailed: it does not come up, or its node does not exist.
        """
        if part is Part.CONTROLLER:
            await self._start_controller()
            return
        found = [machine for machine in self.topology.nodes if machine.name == node]
        if not found:
            raise ComponentFailed(f"there is no node {node}")
        await self._start_agent(found[0])

    async def stop(self) -> None:
        """End all parts; namespaces go in the background once their descriptors are closed."""
        await cancel(self._tasks)
        if self._informers is not None:
            await self._informers.close()
        if self._client is not None:
            await self._client.close()
        await self.components.stop()
        self.ledger.close()

    @property
    def client(self) -> Client:
        """The API, once the cluster is up."""
        assert self._client is not None
        return self._client

    async def settle(self) -> None:
        """Wait until every kube-proxy has carried out what the API said last.

        Raises:
            PartEnded: one does not in time.
        """
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await asyncio.gather(*(proxy.settled.wait() for proxy in self._proxies))
        except TimeoutError:
            words = f"a kube-proxy does not settle within {SETTLE_SECONDS:g} s"
            raise PartEnded(words) from None

    def check(self) -> None:
        """Raises PartEnded when a part has failed."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise PartEnded(f"{task.get_name()}: {error}") from error
        try:
            self.components.check()
        except ComponentFailed as error:
            raise PartEnded(str(error)) from error

    async def _start_api(self) -> None:
        cidrs = self.topology.service_cidrs
        await apiservers.start(self.apiserver, self.components, self.kubeconfig, cidrs)

    async def _create_crds(self) -> None:
        await self.kubectl.run("apply", "-f", str(CRDS))

    async def _start_kubelet(self, machine: Machine, serve: Serve) -> None:
        assert self._client is not None and self._informers is not None
        namespace = self.ledger[machine.name]
        calico = Calico(machine, self.topology, namespace)
        await calico.start()
        multus = Multus(namespace, self.plugin_folder, self._plugin_environment(machine))
        pods = self._informers.of(resources.POD, field_selector=f"spec.nodeName={machine.name}")
        attachments = self._informers.of(resources.NETWORKATTACHMENT)
        sandboxes = Sandboxes(self.ledger, calico, multus, attachments, serve)
        self._sandboxes[machine.name] = sandboxes
        kubelet = Kubelet(self._client, machine, pods, sandboxes)
        await attachments.synced()
        self._run(kubelet.run(), f"kubelet on {machine.name}")

    async def _start_controller(self) -> None:
        await self.components.start(
            _component(Part.CONTROLLER),
            module("spiderpool.controller", "--kubeconfig", str(self.kubeconfig)),
            serves=lambda: True,
        )

    async def _start_kernel_role(self, machine: Machine) -> None:
        agent = self._agent(machine)
        await self.components.start(
            f"spiderpool-kernel-{machine.name}",
            agent.kernel_command,
            serves=agent.kernel_socket.exists,
        )

    async def _start_agent(self, machine: Machine) -> None:
        agent = self._agent(machine)
        await self.components.start(
            _component(Part.AGENT, machine.name),
            agent.command,
            serves=lambda: _listens(agent.socket),
            pass_fds=(agent.netns,),
        )

    def _agent(self, machine: Machine) -> NodeAgent:
        folder = self._node_folder(machine)
        folder.mkdir(parents=True, exist_ok=True)
        netns = self.ledger[machine.name].fd
        return NodeAgent(machine.name, folder, self.kubeconfig, netns, self._agent_roles)

    def _plugin_environment(self, machine: Machine) -> Mapping[str, str]:
        folder = self._node_folder(machine)
        return {
            "SPIDERPOOL_SOCKET": str(folder / SOCKET),
            "SPIDERPOOL_INTENTS": str(folder / "intents"),
        }

    def _node_folder(self, machine: Machine) -> Path:
        return self.folder / "nodes" / machine.name

    @property
    def plugin_folder(self) -> Path:
        """Where kubelet finds CNI plugins, on every node."""
        return self.folder / "cni" / "bin"

    def _run(self, part: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(part, name=name))


def _listens(path: Path) -> bool:
    """Whether somebody does; the socket of who did is not enough."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def _component(part: Part, node: str | None = None) -> str:
    return f"spiderpool-{part}" + (f"-{node}" if node else "")
