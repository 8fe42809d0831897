"""Start the components of the cluster, in the order in which they need each other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import realcluster_settings as settings
from realcluster_access import Access
from realcluster_images import import_commands
from realcluster_machine import CNI_CONFIG
from realcluster_settings import PORTS, RUNTIME_SOCKET, Node

from harness.run.components import Components
from spiderpool.errors import SpiderpoolError

SHOWN = {
    "objects": "get nodes,pods,daemonsets,deployments,jobs,services -A -o wide",
    "events": "get events -A --sort-by=.metadata.creationTimestamp",
    "pods": "describe pods -A",
    "spiderpool": "get spiderpool -A -o yaml",
    "attachments": "get net-attach-def -A -o yaml",
}
"""What is asked of the API when something has failed."""


class NotDone(SpiderpoolError):
    """A command that makes the cluster failed; the text has its words."""


def run(*command: str | Path, stdin: str = "") -> str:
    """A program's output.

    Raises:
        NotDone: it failed.
    """
    done = subprocess.run(
        list(map(str, command)), input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotDone(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Cluster:
    """``programs`` holds Kubernetes' and etcd's; ``folder`` is for files."""

    def __init__(self, node: Node, access: Access, programs: Path, folder: Path) -> None:
        self.node, self.access, self.folder = node, access, folder
        self.logs = folder / "logs"
        self.components = Components(self.logs)
        self._programs = programs

    async def start(self, archives: Callable[[], Sequence[Path]]) -> None:
        """Return when the node is Ready; ``archives`` are images that it shall have.

        Raises:
            ComponentFailed: one did not come up.
            NotDone: the cluster refuses what every cluster has.
        """
        made = asyncio.create_task(asyncio.to_thread(archives))
        await asyncio.gather(self._start_control_plane(), self._start_runtime())
        await asyncio.gather(self._start_node(), _import(made))

    async def _start_control_plane(self) -> None:
        node, access = self.node, self.access
        await self._start("etcd", settings.etcd(self.folder))
        await self._start(
            "kube-apiserver", settings.kube_apiserver(node, access), self._api_is_ready
        )
        await asyncio.to_thread(self._create_objects)
        await asyncio.gather(
            self._start("kube-controller-manager", settings.kube_controller_manager(node, access)),
            self._start("kube-scheduler", settings.kube_scheduler(access)),
        )

    async def _start_runtime(self) -> None:
        CNI_CONFIG.mkdir(parents=True, exist_ok=True)
        (CNI_CONFIG / "10-ptp.conflist").write_text(settings.default_network(self.node))
        config = self._written("containerd.toml", settings.containerd_config())
        command = ["containerd", f"--config={config}"]
        await self.components.start("containerd", command, _runtime_answers, ask=0.05)

    async def _start_node(self) -> None:
        node, access = self.node, self.access
        resolv_conf = self._written("resolv.conf", "")
        config = self._written("kubelet.json", settings.kubelet_config(self.logs, resolv_conf))
        proxy = self._written("kube-proxy.json", settings.kube_proxy_config(node, access))
        await asyncio.gather(
            self._start("kubelet", settings.kubelet(node, access, config)),
            self._start("kube-proxy", [f"--config={proxy}"]),
        )
        await asyncio.to_thread(self._wait_for_node)

    async def _start(
        self, name: str, options: Sequence[str], serves: Callable[[], bool] | None = None
    ) -> None:
        command = [str(self._programs / name), *options]
        await self.components.start(name, command, serves or _listening(PORTS[name]), ask=0.1)

    def _written(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """As the administrator."""
        config = self.access.kubeconfig("admin")
        return run("kubectl", f"--kubeconfig={config}", *arguments, stdin=stdin)

    def write_down(self) -> None:
        """What the API knows, beside the logs, as far as it answers."""
        for name, question in SHOWN.items():
            with contextlib.suppress(NotDone):
                (self.logs / f"{name}.txt").write_text(self.kubectl(*question.split()))

    def _api_is_ready(self) -> bool:
        try:
            return self.kubectl("get", "--raw=/readyz") == "ok"
        except NotDone:
            return False

    def _create_objects(self) -> None:
        """What kubeadm leaves in a cluster, and Spiderpool looks for."""
        networking = {"podSubnet": self.node.pod_cidr, "serviceSubnet": self.node.service_cidr}
        kubeadm = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
            "data": {"ClusterConfiguration": json.dumps({"networking": networking})},
        }
        self.kubectl("create", "-f-", stdin=json.dumps(kubeadm))

    def _wait_for_node(self) -> None:
        name = f"node/{self.node.name}"
        self.kubectl("wait", "--for=create", name, "--timeout=60s")
        self.kubectl("wait", "--for=condition=Ready", name, "--timeout=60s")


async def _import(archives: asyncio.Task[Sequence[Path]]) -> None:
    for command in import_commands(["ctr", "--namespace=k8s.io"], await archives):
        await asyncio.to_thread(run, *command)


def _listening(port: int) -> Callable[[], bool]:
    def look() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    return look


def _runtime_answers() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as one:
        one.connect(str(RUNTIME_SOCKET))
        return True
    return False
