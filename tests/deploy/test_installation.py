"""A life of a release: what Helm would run, run against an API server by its own accounts.

On a real kube-apiserver RBAC is enforced, so a permission that the chart forgot fails here.
What Helm and kubelet do in between, the test does: it applies the objects, runs each
container's command line, and says that the Deployment is available.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_servers import SERVERS
from deploy_chart import NAMESPACE, Object, Render, run
from kernel_roles import serving
from release import Release, controller
from service_accounts import answers_ready, free_port, kubeconfig_of, running

from spiderpool.kube import resources

pytestmark = [pytest.mark.binary("helm"), pytest.mark.binary("kubectl")]

PAGE: Object = {"coordinator": {"mode": "overlay"}}
POOL: Object = {
    "installIPv4IPPool": True,
    "ipv4Subnet": "10.6.0.0/16",
    "ipv4IPRanges": ["10.6.212.100-10.6.212.200"],
}


@contextlib.asynccontextmanager
async def installed(release: Release, values: Object) -> AsyncIterator[None]:
    """With its controller running; yields when helm install would be done."""
    await release.begin()
    release.apply(values)
    await release.job("spiderpool-crds")
    async with controller(release):
        await release.job("spiderpool-init")
        yield


@pytest.fixture
def release(kubeconfig: Path, tmp_path: Path, render: Render) -> Release:
    return Release(kubeconfig, tmp_path, render)


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
    with serving(release.folder):
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
        assert not await release.is_there(resource, "spiderpool-controller")
    for name in ("spiderippools", "spidercoordinators", "spideripblocks"):
        definition = f"{name}.{resources.GROUP}"
        await release.scene.until_gone(resources.CRD, definition)
    assert not await release.is_there(resources.SECRET, "spiderpool-controller-webhook", NAMESPACE)


@pytest.mark.skipif("real" not in SERVERS, reason="only a real server has RBAC; ci/kube-assets")
@pytest.mark.parametrize("kubeconfig", ["real"], indirect=True)
def test_an_account_may_not_do_more(release: Release) -> None:
    """The control of RBAC: what the chart does not grant is refused."""
    release.apply(PAGE)
    config = kubeconfig_of(release.admin, "spiderpool-agent", NAMESPACE, release.folder)
    for verb, what in (("get", "secrets"), ("delete", "pods"), ("create", "spiderippools")):
        asked = run("kubectl", f"--kubeconfig={config}", "auth", "can-i", verb, what)
        assert asked.stdout.strip() == "no", f"{verb} {what}"
    asked = run("kubectl", f"--kubeconfig={config}", "auth", "can-i", "list", "nodes")
    assert asked.stdout.strip() == "yes"
