"""A life of a release: what Helm would run, run against an API server by its own accounts.

On a real kube-apiserver RBAC is enforced, so a permission that the chart forgot fails here.
What Helm and kubelet do in between, the test does: it applies the objects, runs each
container's command line, and says that the Deployment is available.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from controller_process import Scene
from deploy_chart import NAMESPACE, Object, Render, one, pods, run
from service_accounts import answers_ready, command_of, free_port, kubeconfig_of, running

from spiderpool.errors import NotFound
from spiderpool.kube import resources
from spiderpool.kube.client import connect

pytestmark = [pytest.mark.binary("helm"), pytest.mark.binary("kubectl")]

CALICO = {"cniVersion": "0.3.1", "name": "k8s-pod-network", "plugins": [{"type": "calico"}]}
KUBEADM = {
    "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
    "data": {
        "ClusterConfiguration": "networking:\n"
        "  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n"
    },
}
PAGE: Object = {"coordinator": {"mode": "overlay"}}
POOL: Object = {
    "installIPv4IPPool": True,
    "ipv4Subnet": "10.6.0.0/16",
    "ipv4IPRanges": ["10.6.212.100-10.6.212.200"],
}
NOT_RUN = ("PodDisruptionBudget", "NetworkPolicy")


class Release:
    """One installation; ``folder`` holds files and logs."""

    def __init__(self, admin: Path, folder: Path, render: Render) -> None:
        self.admin, self.folder, self._render = admin, folder, render
        self.objects: list[Object] = []
        self.scene = Scene(connect(str(admin)), None)  # type: ignore[arg-type]

    def apply(self, values: Object) -> None:
        """As helm install and upgrade do."""
        self.objects = [obj for obj in self._render(values) if obj["kind"] not in NOT_RUN]
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        kept = [obj for obj in self.objects if obj["kind"] != "Job"]
        documents = "\n---\n".join(map(json.dumps, [space, *kept]))
        done = run("kubectl", f"--kubeconfig={self.admin}", "apply", "-f-", stdin=documents)
        assert done.returncode == 0, done.stderr
        data = one(self.objects, "ConfigMap", "spiderpool-init")["data"]
        (self.folder / "objects.json").write_text(data["objects.json"])

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
            "--state-dir": str(self.folder / "state"),
        }
        account = pod["serviceAccountName"]
        config = kubeconfig_of(self.admin, account, NAMESPACE, self.folder)
        command = command_of(pod, listens | files, dropped=("--webhook-service",))
        return [*command, f"--kubeconfig={config}"]

    async def job(self, name: str) -> str:
        """Run a Job to its end; what it logged."""
        log = self.folder / f"{name}.log"
        async with running([*self.command(name), "--wait=30"], log) as process:
            async with asyncio.timeout(60):
                status = await process.process.wait()
        assert status == 0, process.log
        return process.log

    async def say_available(self) -> None:
        body = {"status": {"replicas": 1, "availableReplicas": 1, "readyReplicas": 1}}
        await self.scene.client.patch(
            resources.DEPLOYMENT, "spiderpool-controller", body, NAMESPACE, subresource="status"
        )

    async def coordinator(self, **wanted: Any) -> Object:
        return await self.scene.until(
            resources.SPIDERCOORDINATOR,
            "default",
            lambda obj: wanted.items() <= (obj["spec"] | obj.get("status", {})).items(),
        )


@contextlib.asynccontextmanager
async def installed(release: Release, values: Object) -> AsyncIterator[Release]:
    """With its controller running; yields when helm install would be done."""
    release.apply(values)
    await release.job("spiderpool-crds")
    with contextlib.suppress(Exception):
        await release.scene.client.create(resources.CONFIGMAP, KUBEADM)
    port = free_port()
    log = release.folder / "controller.log"
    async with running(release.command("spiderpool-controller", health=port), log) as controller:
        await answers_ready(port, controller)
        await release.say_available()
        await release.job("spiderpool-init")
        yield release
    assert controller.process.returncode == 0, controller.log
    assert "forbidden" not in controller.log, controller.log


@pytest.fixture
def release(kubeconfig: Path, tmp_path: Path, render: Render) -> Release:
    (tmp_path / "10-calico.conflist").write_text(json.dumps(CALICO))
    return Release(kubeconfig, tmp_path, render)


async def is_there(release: Release, resource: resources.Resource, *names: str) -> bool:
    try:
        await release.scene.client.get(resource, *names)
    except NotFound:
        return False
    return True


def test_a_life(release: Release) -> None:
    """Install as the page says, run the agent, upgrade, uninstall, and install again."""

    async def life() -> None:
        async with installed(release, PAGE | {"clusterDefaultPool": POOL}):
            client = release.scene.client
            await release.coordinator(mode="overlay", phase="Synced")
            pool = await client.get(resources.SPIDERIPPOOL, "default-v4-ippool")
            assert pool["spec"]["default"] is True
            await release.scene.until(
                resources.NETWORKATTACHMENT, "k8s-pod-network", lambda obj: True, NAMESPACE
            )
            await runs_an_agent(release)
            await upgrades(release)
        await uninstalls(release)
        async with installed(release, PAGE):
            await release.coordinator(mode="overlay", phase="Synced")
        await uninstalls(release)
        await release.scene.client.close()

    asyncio.run(life())


async def runs_an_agent(release: Release) -> None:
    port, log = free_port(), release.folder / "agent.log"
    async with running(release.command("spiderpool-agent", health=port), log) as agent:
        await answers_ready(port, agent)
    assert "forbidden" not in agent.log, agent.log


async def upgrades(release: Release) -> None:
    """Values reach what only the installation wrote, and not what somebody changed."""
    release.apply({"coordinator": {"mode": "underlay"}})
    await release.job("spiderpool-crds")
    await release.say_available()
    await release.job("spiderpool-init")
    await release.coordinator(mode="underlay", phase="Synced")
    body = {"spec": {"mode": "auto"}}
    await release.scene.client.patch(resources.SPIDERCOORDINATOR, "default", body)
    release.apply({"coordinator": {"mode": "overlay", "txQueueLen": 500}})
    await release.say_available()
    said = await release.job("spiderpool-init")
    assert "SpiderCoordinator default: spec.mode was set by somebody else and stays" in said
    await release.coordinator(mode="auto", txQueueLen=500)


async def uninstalls(release: Release) -> None:
    """Also with an object whose finalizer nobody is left to take off."""
    pool: Object = {
        "metadata": {"name": "left", "finalizers": ["spiderpool.spidernet.io"]},
        "spec": {"subnet": "10.7.0.0/16", "ips": ["10.7.0.10"]},
    }
    await release.scene.client.create(resources.SPIDERIPPOOL, pool)
    await release.job("spiderpool-clean")
    controller = await release.scene.client.get(
        resources.DEPLOYMENT, "spiderpool-controller", NAMESPACE
    )
    assert controller["spec"]["replicas"] == 0
    for resource in (resources.MUTATINGWEBHOOK, resources.VALIDATINGWEBHOOK):
        assert not await is_there(release, resource, "spiderpool-controller")
    for name in ("spiderippools", "spidercoordinators", "spideripblocks"):
        definition = f"{name}.{resources.GROUP}"
        await release.scene.until_gone(resources.CRD, definition)
    assert not await is_there(release, resources.SECRET, "spiderpool-controller-webhook", NAMESPACE)


def test_an_account_may_not_do_more(release: Release, is_real: bool) -> None:
    """The control of RBAC: what the chart does not grant is refused."""
    if not is_real:
        pytest.skip("the embedded server has no RBAC; needs KUBEBUILDER_ASSETS")
    release.apply(PAGE)
    config = kubeconfig_of(release.admin, "spiderpool-agent", NAMESPACE, release.folder)
    for verb, what in (("get", "secrets"), ("delete", "pods"), ("create", "spiderippools")):
        asked = run("kubectl", f"--kubeconfig={config}", "auth", "can-i", verb, what)
        assert asked.stdout.strip() == "no", f"{verb} {what}"
    asked = run("kubectl", f"--kubeconfig={config}", "auth", "can-i", "list", "nodes")
    assert asked.stdout.strip() == "yes"
