"""A node with a real agent: a process, HTTP to the embedded API, and the plugin executed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from harness.kubeapi.bootstrap import populate
from harness.kubeapi.builtin.services import ServiceRanges
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.server import Server
from spiderpool.cni.install import install
from spiderpool.kube.access import Access, FixedCredentials
from spiderpool.kube.api import Client, Object
from spiderpool.kube.client import HttpClient
from spiderpool.kube.resources import CRD, NODE, POD, SPIDERCOORDINATOR, SPIDERIPPOOL
from spiderpool.netlink.namespace import Namespace

NODE_NAME = "worker01"
SYSTEM_PLUGINS = Path("/usr/lib/cni")
NODE_ADDRESS = "10.6.212.100"
"""Lies in the pool, as its lowest address: it must not be given to a pod."""
CRDS = Path(__file__).parents[2] / "crds"


class World:
    """One API, one node; ``folder`` holds socket, notes and executables."""

    def __init__(self, folder: Path, client: Client, node: Namespace, pod: Namespace) -> None:
        self.folder, self.client, self.node, self.pod = folder, client, node, pod
        self.agent: asyncio.subprocess.Process | None = None
        self.prefix: Sequence[str] = ()
        """Put before the agent's command line."""
        self.options: Sequence[str] = ()
        self.intents = folder / "state" / "intents"

    async def start_agent(self) -> None:
        """Start it, and wait until it serves."""
        with (self.folder / "agent.log").open("ab") as log:
            self.agent = await self._spawn_agent(log)
        async with asyncio.timeout(20):
            while (await self.plugin("STATUS"))[0] != 0:
                await asyncio.sleep(0.02)

    async def _spawn_agent(self, log: BinaryIO) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.prefix,
            *(sys.executable, "-m", "spiderpool.agent"),
            *("--socket", str(self.folder / "agent.sock")),
            *("--node", NODE_NAME),
            *("--kubeconfig", str(self.folder / "kubeconfig")),
            *("--state-dir", str(self.folder / "state")),
            *("--netns", f"/proc/self/fd/{self.node.fd}"),
            *self.options,
            stderr=log,
            pass_fds=(self.node.fd,),
        )

    async def stop_agent(self, number: int = signal.SIGTERM) -> int:
        """Its exit status."""
        assert self.agent is not None
        self.agent.send_signal(number)
        agent, self.agent = self.agent, None
        return await asyncio.wait_for(agent.wait(), 20)

    def log(self) -> list[dict[str, Any]]:
        """The agent's log lines."""
        lines = (self.folder / "agent.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    async def plugin(
        self,
        command: str,
        name: str = "spiderpool",
        config: Mapping[str, Any] | None = None,
        **env: str,
    ) -> tuple[int, Any]:
        """Exit status and JSON of the plugin, executed in the node's namespace as kubelet does."""
        return await asyncio.to_thread(self._plugin, command, name, config or {}, env)

    def _plugin(
        self, command: str, name: str, config: Mapping[str, Any], env: Mapping[str, str]
    ) -> tuple[int, Any]:
        netconf = {"cniVersion": "1.1.0", "name": "macvlan-ens192", "type": name} | dict(config)
        process = self.popen(command, name, env)
        stdout, _ = process.communicate(json.dumps(netconf).encode(), timeout=60)
        return process.returncode, json.loads(stdout) if stdout else None

    def popen(self, command: str, name: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start the plugin; its own namespace is the node's."""
        environ = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": "c0ffee",
            "CNI_NETNS": f"/proc/{os.getpid()}/fd/{self.pod.fd}",
            "CNI_IFNAME": "net1",
            "CNI_ARGS": "IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx",
            "CNI_PATH": f"{self.folder / 'bin'}:{SYSTEM_PLUGINS}",
            "SPIDERPOOL_SOCKET": str(self.folder / "agent.sock"),
            "SPIDERPOOL_INTENTS": str(self.intents),
        } | dict(env)
        with self.node.entered():
            return subprocess.Popen(
                [shutil.which(name, path=environ["CNI_PATH"]) or name],
                env=environ,
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )


@asynccontextmanager
async def world(folder: Path, node: Namespace, pod: Namespace) -> AsyncIterator[World]:
    """An API with the page's objects, and everything that is needed to start an agent."""
    cluster = Cluster(ServiceRanges(("10.233.0.0/18",), (30000, 32767)))
    await populate(cluster)
    server = Server(cluster, "")
    url = await server.start("127.0.0.1", 0)
    (folder / "kubeconfig").write_text(kubeconfig(url))
    (folder / "bin").mkdir()
    install(folder / "bin")
    client = HttpClient(Access(url, None, FixedCredentials()))
    made = World(folder, client, node, pod)
    try:
        await _fill(client)
        yield made
    finally:
        if made.agent is not None:
            with suppress(ProcessLookupError):
                made.agent.kill()
            await made.agent.wait()
        await client.close()
        await server.stop()


def kubeconfig(url: str) -> str:
    """A kubeconfig as JSON, which is YAML too."""
    return json.dumps(
        {
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test"}}],
            "clusters": [{"name": "test", "cluster": {"server": url}}],
        }
    )


async def _fill(client: Client) -> None:
    for path in sorted(CRDS.glob("*.yaml")):
        await client.create(CRD, yaml.safe_load(path.read_text()))
    await client.create(NODE, {"metadata": {"name": NODE_NAME}})
    addresses = [{"type": "InternalIP", "address": NODE_ADDRESS}]
    status = {"status": {"addresses": addresses}}
    await client.patch(NODE, NODE_NAME, status, subresource="status")
    pool: Object = {
        "subnet": "10.6.0.0/16",
        "ips": ["10.6.212.100-10.6.212.200"],
        "gateway": "10.6.0.1",
    }
    await client.create(SPIDERIPPOOL, {"metadata": {"name": "10-6-v4"}, "spec": pool})
    spec = {"mode": "overlay", "podCIDRType": "cluster"}
    await client.create(SPIDERCOORDINATOR, {"metadata": {"name": "default"}, "spec": spec})
    found = {
        "phase": "Synced",
        "overlayPodCIDR": ["10.233.64.0/18"],
        "serviceCIDR": ["10.233.0.0/18"],
    }
    await client.patch(SPIDERCOORDINATOR, "default", {"status": found}, subresource="status")
    pod = {"containers": [{"name": "main", "image": "nginx"}], "nodeName": NODE_NAME}
    metadata = {"name": "nginx", "namespace": "default"}
    await client.create(POD, {"metadata": metadata, "spec": pod})
