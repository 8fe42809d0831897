"""A release as it lives on an API server: its objects, and its containers' command lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from controller_process import Scene
from deploy_chart import NAMESPACE, Object, Render, one, pods, run
from service_accounts import answers_ready, command_of, free_port, kubeconfig_of, running

from spiderpool.errors import AlreadyExists, NotFound
from spiderpool.kube import resources
from spiderpool.kube.client import connect

CALICO = {"cniVersion": "0.3.1", "name": "k8s-pod-network", "plugins": [{"type": "calico"}]}
KUBEADM = {
    "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
    "data": {
        "ClusterConfiguration": "networking:\n"
        "  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n"
    },
}
CONTROLLER = "spiderpool-controller"
NODE_NAME = "worker01"
NOT_RUN = ("PodDisruptionBudget", "NetworkPolicy")


class Release:
    """One installation; ``folder`` holds files and logs."""

    def __init__(self, admin: Path, folder: Path, render: Render) -> None:
        self.admin, self.folder, self._render = admin, folder, render
        self.objects: list[Object] = []
        (folder / "10-calico.conflist").write_text(json.dumps(CALICO))
        self.scene = Scene(connect(str(admin)), None)  # type: ignore[arg-type]

    def take(self, values: Object) -> None:
        """From now on it is the release of these values."""
        self.objects = [obj for obj in self._render(values) if obj["kind"] not in NOT_RUN]
        data = one(self.objects, "ConfigMap", "spiderpool-init")["data"]
        (self.folder / "objects.json").write_text(data["objects.json"])

    async def begin(self) -> None:
        """The namespace, and what a cluster has that kubeadm made."""
        space: Object = {"metadata": {"name": NAMESPACE}}
        node: Object = {"metadata": {"name": NODE_NAME}}
        for resource, obj in (
            (resources.NAMESPACE, space),
            (resources.NODE, node),
            (resources.CONFIGMAP, KUBEADM),
        ):
            with contextlib.suppress(AlreadyExists):
                await self.scene.client.create(resource, obj)

    def apply(self, values: Object) -> None:
        """As helm install and upgrade do."""
        self.take(values)
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        kept = [obj for obj in self.objects if obj["kind"] != "Job"]
        documents = "\n---\n".join(map(json.dumps, [space, *kept]))
        done = run("kubectl", f"--kubeconfig={self.admin}", "apply", "-f-", stdin=documents)
        assert done.returncode == 0, done.stderr

    def command(self, name: str, **ports: int) -> list[str]:
        """What the workload's container executes, as its service account."""
        pod = pods(self.objects)[name]
        listens = {
            f"--{what}-listen": f"127.0.0.1:{port}"
            for what, port in {"health": 0, "webhook": 0, "metrics": 0, **ports}.items()
        }
        files = {
            "--objects": str(self.folder / "objects.json"),
            "--cni-conf-dir": str(self.folder),
            "--socket": str(self.folder / "agent.sock"),
            "--kernel-socket": str(self.folder / "kernel.sock"),
            "--state-dir": str(self.folder / "state"),
            "--node": NODE_NAME,
        }
        account = pod["serviceAccountName"]
        config = kubeconfig_of(self.admin, account, NAMESPACE, self.folder)
        command = command_of(pod, listens | files, dropped=("--webhook-service",))
        return [*command, f"--kubeconfig={config}"]

    async def job(self, name: str) -> str:
        """Run a Job to its end; what it logged."""
        log = self.folder / f"{name}.log"
        async with running([*self.command(name), "--wait=100"], log) as process:
            async with asyncio.timeout(150):
                status = await process.process.wait()
        assert status == 0, process.log
        return process.log

    async def say_available(self) -> None:
        body = {"status": {"replicas": 1, "availableReplicas": 1, "readyReplicas": 1}}
        await self.scene.client.patch(
            resources.DEPLOYMENT, CONTROLLER, body, NAMESPACE, subresource="status"
        )

    async def coordinator(self, **wanted: Any) -> Object:
        return await self.scene.until(
            resources.SPIDERCOORDINATOR,
            "default",
            lambda obj: wanted.items() <= (obj["spec"] | obj.get("status", {})).items(),
        )

    async def is_there(self, resource: resources.Resource, *names: str) -> bool:
        try:
            await self.scene.client.get(resource, *names)
        except NotFound:
            return False
        return True


@contextlib.asynccontextmanager
async def controller(release: Release) -> AsyncIterator[None]:
    """It runs and is said to be available; at its end, nothing was forbidden to it."""
    port, log = free_port(), release.folder / "controller.log"
    async with running(release.command(CONTROLLER, health=port), log) as process:
        await answers_ready(port, process)
        await release.say_available()
        yield
    assert process.process.returncode == 0, process.log
    assert "forbidden" not in process.log, process.log


@contextlib.asynccontextmanager
async def installed_controller(release: Release) -> AsyncIterator[None]:
    """As soon as its Deployment is there, for as long as the body runs."""
    ended = asyncio.Event()

    async def work() -> None:
        while not await release.is_there(resources.DEPLOYMENT, CONTROLLER, NAMESPACE):
            await asyncio.sleep(0.1)  # as long as helm takes, which has a time limit of its own
        async with controller(release):
            await ended.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        yield
        ended.set()
