"""``spiderpoolctl status`` beside a controller that runs: what the API server itself does."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

from controller_process import Scene, controller, created, run
from installation import COORDINATOR, KUBEADM, NETWORK, SYSTEM, daemonset, deployment

from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import (
    CONFIGMAP,
    DAEMONSET,
    DEPLOYMENT,
    NETWORKATTACHMENT,
    SPIDERCOORDINATOR,
    SPIDERIPPOOL,
    SPIDERMULTUSCONFIG,
    VALIDATINGWEBHOOK,
)

LABELLED = {"metadata": {"labels": {"app": "spiderpool"}}}


async def ctl(kubeconfig: Path, *words: str) -> tuple[int, Any]:
    """Exit status and JSON of ``spiderpoolctl``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "spiderpool.ctl.main", *words, f"--kubeconfig={kubeconfig}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, json.loads(out)


async def workload(client: Client, resource: Any, obj: Object) -> None:
    """As the chart has it, with the status that its controller would write."""
    template = obj["spec"]["template"]
    containers = [{"name": "main", "image": "x"}]
    spec = {
        **obj["spec"],
        "selector": {"matchLabels": LABELLED["metadata"]["labels"]},
        "template": {**template, **LABELLED, "spec": {"containers": containers}},
    }
    metadata = obj["metadata"]
    await created(client, resource, {"metadata": metadata, "spec": spec})
    counts = {"replicas": 1} if resource == DEPLOYMENT else {
        "currentNumberScheduled": 2, "numberMisscheduled": 0}  # fmt: skip
    status = {"status": obj["status"] | counts}
    await client.patch(resource, metadata["name"], status, SYSTEM, subresource="status")


async def installed(world: Scene) -> None:
    client = world.client
    await workload(client, DAEMONSET, daemonset())
    await workload(client, DEPLOYMENT, deployment())
    await created(client, CONFIGMAP, KUBEADM)
    await created(client, SPIDERCOORDINATOR, COORDINATOR)
    metadata = {key: NETWORK["metadata"][key] for key in ("name", "namespace")}
    await created(client, SPIDERMULTUSCONFIG, {"metadata": metadata, "spec": NETWORK["spec"]})
    spec = {"subnet": "10.6.0.0/16", "ips": ["10.6.212.100-10.6.212.200"]}
    await created(client, SPIDERIPPOOL, {"metadata": {"name": "a"}, "spec": spec})
    await world.until(NETWORKATTACHMENT, metadata["name"], lambda o: o["spec"], SYSTEM)
    await world.until(SPIDERCOORDINATOR, "default", lambda o: o.get("status"))
    await world.until(VALIDATINGWEBHOOK, "spiderpool-controller", lambda o: True)


async def removed(world: Scene) -> None:
    for resource, name in ((SPIDERCOORDINATOR, "default"), (SPIDERIPPOOL, "a")):
        await world.client.delete(resource, name)
        await world.until_gone(resource, name)
    await world.client.delete(SPIDERMULTUSCONFIG, "macvlan-ens192", SYSTEM)
    for resource, name in ((DAEMONSET, "spiderpool-agent"), (DEPLOYMENT, "spiderpool-controller")):
        await world.client.delete(resource, name, SYSTEM)


def of_other_tests(where: str) -> bool:
    """Those share the server."""
    return where.startswith(("SpiderSubnet ", "SpiderMultusConfig default/"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_controller_that_runs_and_one_that_ended(kubeconfig: Path) -> None:
    """The definitions are those that the server stored, with whatever it added."""

    async def scene() -> None:
        async with controller(kubeconfig, f"--webhook-listen=127.0.0.1:{free_port()}") as world:
            await installed(world)
            status, answer = await ctl(kubeconfig, "status", "--json")
            assert [f for f in answer["findings"] if not of_other_tests(f["where"])] == []
            assert status == (0 if answer["healthy"] else 1)
            assert answer["leader"]
            assert [row["REACHED"] for row in answer["webhook"]] == [True, True]
            assert {row["STATE"] for row in answer["definitions"]} == {"ok"}
            (network,) = [r for r in answer["networks"] if "ens192" in r["NETWORK"]]
            assert network["STATE"] == "ok"
            assert answer["coordinators"][0]["SERVICE-CIDRS"] == "10.233.0.0/18"
            pools = await world.client.list(SPIDERIPPOOL)
            assert not [o for o in pools["items"] if "status" in o["metadata"]["name"]], "dry"

            world.process.terminate()
            await world.process.wait()
            status, answer = await ctl(kubeconfig, "status", "--json")
            assert status == 1
            texts = [finding["text"] for finding in answer["findings"]]
            assert any("the API server does not reach it" in text for text in texts)
            assert "no controller leads" in texts
        async with controller(kubeconfig) as world:
            await removed(world)

    run(scene)
