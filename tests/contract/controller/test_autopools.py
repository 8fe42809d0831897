"""Automatic pools beside the webhook: the controller writes them, and nobody else does."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from controller_process import controller, created, run

from spiderpool.errors import Invalid
from spiderpool.kube.api import Object
from spiderpool.kube.resources import (
    DEPLOYMENT,
    SPIDERIPPOOL,
    SPIDERSUBNET,
    VALIDATINGWEBHOOK,
)

LABELS = {"app": "auto"}
ANNOTATIONS = {"ipam.spidernet.io/subnet": json.dumps({"ipv4": ["auto"]})}
POD = {"metadata": {"labels": LABELS, "annotations": ANNOTATIONS},
       "spec": {"containers": [{"name": "c", "image": "i"}]}}  # fmt: skip
DEPLOYED: Object = {
    "metadata": {"name": "auto", "namespace": "default"},
    "spec": {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": POD},
}
SUBNET: Object = {
    "metadata": {"name": "auto"},
    "spec": {"subnet": "10.97.0.0/16", "ips": ["10.97.0.10-10.97.0.40"]},
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def held_by(subnet: Object) -> str | None:
    status: dict[str, str] = subnet.get("status") or {}
    return status.get("controlledIPPools")


def test_edits_are_refused_and_the_size_follows_the_workload(kubeconfig: Path) -> None:
    async def scene() -> None:
        async with controller(kubeconfig, f"--webhook-listen=127.0.0.1:{free_port()}") as world:
            client = world.client
            await world.until(VALIDATINGWEBHOOK, "spiderpool-controller", lambda o: True)
            await created(client, SPIDERSUBNET, SUBNET)
            await created(client, DEPLOYMENT, DEPLOYED)
            held = (await world.until(SPIDERSUBNET, "auto", held_by))["status"]
            (name,) = json.loads(held["controlledIPPools"])

            async def edit(**spec: Any) -> Object:
                return await client.patch(SPIDERIPPOOL, name, {"spec": spec})

            with pytest.raises(Invalid, match="by SpiderSubnet auto; edit that, or the annotat"):
                await edit(ips=["10.97.0.10-10.97.0.30"])
            with pytest.raises(Invalid, match="alone draws from its automatic pool"):
                await edit(podAffinity=None)
            await edit(disable=True)
            await client.patch(DEPLOYMENT, "auto", {"spec": {"replicas": 4}}, "default")
            await world.until(
                SPIDERIPPOOL, name, lambda o: o["spec"]["ips"] == ["10.97.0.10-10.97.0.14"]
            )

            await client.delete(DEPLOYMENT, "auto", "default")
            await world.until_gone(SPIDERIPPOOL, name)
            await client.delete(SPIDERSUBNET, "auto")
            await world.until_gone(SPIDERSUBNET, "auto")
            await client.delete(VALIDATINGWEBHOOK, "spiderpool-controller")

    run(scene)
