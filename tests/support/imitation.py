"""An existing cluster that the harness itself makes: everything but containers that run.

Call all of it inside a sandbox. It leaves results where a container runtime's libcni does.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.netns import sandbox
from harness.nodes.sandboxes import StopServing
from harness.run.emulated import EmulatedCluster
from harness.topology.load import load
from spiderpool.kube.api import Object
from spiderpool.netlink.namespace import Namespace

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@dataclass(frozen=True)
class Imitation:
    """``inventory`` is the file for ``--cluster``; ``ports`` are listened on in every pod."""

    cluster: EmulatedCluster
    folder: Path
    ports: list[int] = field(default_factory=list)

    @property
    def inventory(self) -> Path:
        return self.folder / "cluster.json"

    def describe(self) -> dict[str, Any]:
        """What the inventory says at first."""
        paths = {name: path_of(namespace) for name, namespace in self.cluster.places.items()}
        nodes = {
            machine.name: {"netns": paths.pop(machine.name), "cniResults": str(self.folder)}
            for machine in self.cluster.topology.nodes
        }
        return {"kubeconfig": str(self.cluster.kubeconfig), "nodes": nodes, "places": paths}

    async def serve(self, pod: Object, namespace: Namespace) -> StopServing:
        """Write the result of the pod's default network."""
        file = self.folder / f"ptp-{pod['metadata']['uid']}-eth0"
        file.write_text(json.dumps(result_of(pod, path_of(namespace))))
        listeners = [_listener(namespace, port) for port in self.ports]

        def stop() -> None:
            file.unlink()
            for listener in listeners:
                listener.close()

        return stop

    async def harness(self, *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
        """The status of ``harness run --on cluster --json``, and its events."""
        status, printed, _ = await self.command("--json", *arguments)
        return status, [json.loads(line) for line in printed.splitlines()]

    async def command(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Status, output and complaints of ``harness run --on cluster``."""
        child = await self.started(*arguments)
        printed, complaints = await child.communicate()
        assert child.returncode is not None
        return child.returncode, printed.decode(), complaints.decode()

    async def started(self, *arguments: str | Path) -> asyncio.subprocess.Process:
        """The process of the command."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "harness.cli.main", "run", "--on", "cluster"),
            *("--cluster", self.inventory, *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            process_group=0,
        )

    async def objects(self, kinds: str) -> list[str]:
        """``kind/name`` of the objects of these kinds in all namespaces."""
        printed = await self.cluster.kubectl.run("get", kinds, "-A", "-o", "json")
        return [
            f"{each['kind']}/{each['metadata']['name']}" for each in json.loads(printed)["items"]
        ]


def _listener(namespace: Namespace, port: int) -> socket.socket:
    listener = namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("", port))
    listener.listen()
    return listener


def path_of(namespace: Namespace) -> str:
    return f"/proc/{os.getpid()}/fd/{namespace.fd}"


def result_of(pod: Object, netns: str) -> dict[str, Any]:
    """As libcni 1.1 keeps it: the namespace is told by the interfaces of the result alone."""
    metadata = pod["metadata"]
    arguments = {
        "IgnoreUnknown": "true",
        "K8S_POD_NAMESPACE": metadata["namespace"],
        "K8S_POD_NAME": metadata["name"],
        "K8S_POD_UID": metadata["uid"],
    }
    interfaces = [{"name": "veth1"}, {"name": "eth0", "sandbox": netns}]
    return {
        "kind": "cniCacheV1",
        "containerId": metadata["uid"],
        "ifName": "eth0",
        "networkName": "ptp",
        "cniArgs": [list(pair) for pair in arguments.items()],
        "result": {"cniVersion": "0.4.0", "interfaces": interfaces},
    }


@asynccontextmanager
async def imitation(
    topology: str = "one-node", given: Sequence[str] = ()
) -> AsyncIterator[Imitation]:
    """With Spiderpool, and the ``given`` manifests of the quick start."""
    cluster = EmulatedCluster(load(SCENARIOS / f"_topologies/{topology}.yaml"), sandbox.RUN)
    made = Imitation(cluster, sandbox.RUN / "results")
    made.folder.mkdir()
    try:
        await cluster.start(made.serve)
        await cluster.install_spiderpool()
        for name in given:
            await cluster.kubectl.run("apply", "-f", str(SCENARIOS / "quickstart" / name))
        made.inventory.write_text(json.dumps(made.describe()))
        yield made
    finally:
        await cluster.stop()
