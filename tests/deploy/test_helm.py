"""A real helm installs, upgrades and uninstalls; the test plays kubelet for its Jobs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from deploy_chart import CHART, NAMESPACE, Object, Render, run
from release import Release, installed_controller

from spiderpool.errors import KubeError
from spiderpool.kube import resources
from spiderpool.kube.resources import Resource

pytestmark = pytest.mark.binary("helm")

MOMENT = "2026-01-01T00:00:00Z"
COMPLETE: Object = {
    "succeeded": 1,
    "startTime": MOMENT,
    "completionTime": MOMENT,
    "conditions": [
        {"type": kind, "status": "True", "lastTransitionTime": MOMENT}
        for kind in ("SuccessCriteriaMet", "Complete")
    ],
}
OURS = (
    resources.DAEMONSET,
    resources.DEPLOYMENT,
    resources.JOB,
    resources.CONFIGMAP,
    resources.SERVICE,
    Resource("", "v1", "serviceaccounts", "ServiceAccount"),
    Resource("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
    Resource(
        "rbac.authorization.k8s.io",
        "v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
        namespaced=False,
    ),
    resources.CRD,
    resources.MUTATINGWEBHOOK,
    resources.VALIDATINGWEBHOOK,
)


@contextlib.asynccontextmanager
async def kubelet(release: Release) -> AsyncIterator[list[str]]:
    """Runs each Job that appears, and yields the names of those that were run."""
    done: list[str] = []

    async def play() -> None:
        seen = set()
        while True:
            for job in (await release.scene.client.list(resources.JOB, NAMESPACE))["items"]:
                metadata = job["metadata"]
                if metadata["uid"] in seen:
                    continue
                seen.add(metadata["uid"])
                await release.job(metadata["name"])
                done.append(metadata["name"])
                await release.scene.client.patch(
                    resources.JOB,
                    metadata["name"],
                    {"status": COMPLETE},
                    NAMESPACE,
                    subresource="status",
                )
            await asyncio.sleep(0.1)

    task = asyncio.create_task(play())
    try:
        yield done
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def helm(release: Release, *arguments: str, values: Object | None = None) -> None:
    where = (f"--kubeconfig={release.admin}", f"--namespace={NAMESPACE}", "--timeout=100s")
    given = ("-f-",) if values is not None else ()
    stdin = json.dumps(values) if values is not None else ""
    done = await asyncio.to_thread(run, "helm", *arguments, *where, *given, stdin=stdin)
    assert done.returncode == 0, done.stderr


async def left(release: Release) -> set[tuple[str, str]]:
    """What there is of the release, or of its use."""
    found = set()
    for resource in OURS:
        namespace = NAMESPACE if resource.namespaced else None
        with contextlib.suppress(KubeError):
            for obj in (await release.scene.client.list(resource, namespace))["items"]:
                if "spider" in obj["metadata"]["name"]:
                    found.add((resource.kind, obj["metadata"]["name"]))
    return found


def test_helm_installs_upgrades_and_leaves_nothing(
    kubeconfig: Path, tmp_path: Path, render: Render
) -> None:
    async def life() -> None:
        release = Release(kubeconfig, tmp_path, render)
        await release.begin()
        before = await left(release)
        page: Object = {"coordinator": {"mode": "overlay"}}
        release.take(page)
        async with kubelet(release) as done:
            async with installed_controller(release):
                arguments = ("install", "spiderpool", str(CHART))
                await helm(release, *arguments, values=page)
                assert done == ["spiderpool-crds", "spiderpool-init"]
                await release.coordinator(mode="overlay", phase="Synced")
                changed: Object = {"coordinator": {"mode": "underlay"}}
                release.take(changed)
                await helm(release, "upgrade", *arguments[1:], values=changed)
                assert done[2:] == ["spiderpool-crds", "spiderpool-init"]
                await release.coordinator(mode="underlay", phase="Synced")
                there = await left(release)
                assert ("Job", "spiderpool-crds") not in there
                assert ("ClusterRole", "spiderpool-crds") not in there
            await helm(release, "uninstall", "spiderpool")
            assert done[4:] == ["spiderpool-clean"]
        assert await left(release) == before == set()
        await release.scene.client.close()

    asyncio.run(life())
