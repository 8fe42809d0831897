"""Workloads that ask for pools of their own, and the controller that makes these."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from spiderpool.controller.autopools import AutoPoolCaches, AutoPools
from spiderpool.ipam.ledger import Ledger
from spiderpool.kube.events import EventRecorder
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import (
    CRONJOB,
    DAEMONSET,
    DEPLOYMENT,
    JOB,
    NODE,
    POD,
    REPLICASET,
    SPIDERIPBLOCK,
    SPIDERIPPOOL,
    SPIDERRESERVEDIP,
    SPIDERSUBNET,
    STATEFULSET,
)
from spiderpool.types.address import Family

P = "ipam.spidernet.io/"
FIVE = {P + "ippool-ip-number": "5"}


def asks(**extra: str) -> dict[str, str]:
    return {P + "subnet": json.dumps({"ipv4": ["s"]}), **extra}


KINDS = {
    "Deployment": DEPLOYMENT,
    "ReplicaSet": REPLICASET,
    "StatefulSet": STATEFULSET,
    "DaemonSet": DAEMONSET,
    "Job": JOB,
    "CronJob": CRONJOB,
}


def deployment(name: str = "web", replicas: int = 2, /, **annotations: str) -> dict[str, Any]:
    template = {"metadata": {"annotations": asks(**annotations)}}
    meta = {"name": name, "namespace": "default"}
    return {"metadata": meta, "spec": {"replicas": replicas, "template": template}}


@asynccontextmanager
async def controller(
    world: Any, families: frozenset[Family] = frozenset(Family), unseen: str = ""
) -> AsyncIterator[EventRecorder]:
    """The controller's part, as it runs, and what it tells; of the kind ``unseen`` its cache
    has nothing yet."""
    informers = Informers(world.api)
    caches = AutoPoolCaches(
        workloads={
            kind: informers.of(resource, "nowhere" if kind == unseen else None)
            for kind, resource in KINDS.items()
        },
        pods=informers.of(POD),
        subnets=informers.of(SPIDERSUBNET),
        pools=informers.of(SPIDERIPPOOL),
        reserved=informers.of(SPIDERRESERVEDIP),
        nodes=informers.of(NODE),
        ledger=Ledger(),
    )
    informers.of(SPIDERIPBLOCK).subscribe(caches.ledger.apply)
    recorder = EventRecorder(world.api, "test")
    running = AutoPools(world.api, caches, recorder, families)
    await informers.synced()
    running.start()
    task = asyncio.create_task(running.queue.run())
    try:
        yield recorder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await informers.close()


async def pools_of(world: Any) -> dict[str, list[str]]:
    items = (await world.api.list(SPIDERIPPOOL))["items"]
    return {obj["metadata"]["name"]: obj["spec"]["ips"] for obj in items}


async def make_subnet(world: Any) -> None:
    spec = {"subnet": "10.6.0.0/16", "ips": ["10.6.0.10-10.6.0.19"], "gateway": "10.6.0.1"}
    await world.put(SPIDERSUBNET, {"metadata": {"name": "s"}, "spec": spec})


async def replica(world: Any, name: str, uid: str, of: str = "web") -> str:
    """A pod of a ReplicaSet of a Deployment, and the pod's UID."""
    rs: dict[str, Any] = {"name": f"{of}-abc", "namespace": "default"}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": of, "uid": uid}
    try:
        made = await world.api.get(REPLICASET, rs["name"], "default")
    except Exception:
        rs["ownerReferences"] = [{**owner, "controller": True}]
        made = await world.put(REPLICASET, {"metadata": rs, "spec": {}})
    above: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": rs["name"]}
    above |= {"uid": made["metadata"]["uid"], "controller": True}
    return str(await world.pod(f"default/{name}", ownerReferences=[above], annotations=asks()))


async def pod_of(world: Any, name: str, made: dict[str, Any], kind: str, **notes: str) -> str:
    """A pod whose controller is ``made``, and the pod's UID."""
    above = {"apiVersion": KINDS[kind].api_version, "kind": kind, "controller": True}
    above |= {key: made["metadata"][key] for key in ("name", "uid")}
    return str(
        await world.pod(f"default/{name}", ownerReferences=[above], annotations=notes or asks())
    )
