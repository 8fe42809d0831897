"""Recorded answers of upstream's agent: ours must give the same addresses and refusals, and
show them in the same SpiderEndpoint.

What other pods held of the pools at the time is in each case; the pools themselves are on
the :class:`Bench`.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import orjson

from harness.golden.allocated import RULES, Allocations
from harness.golden.bench import CLUSTER_NETWORK, RESERVED, Bench
from harness.golden.compare import Difference, Judgement, Leaf, explained, leaves
from spiderpool.agent.caches import AgentCaches
from spiderpool.agent.ipam import IpamHandler
from spiderpool.agent.ipam_service import IpamService
from spiderpool.agent.ipam_sources import Sources
from spiderpool.cni.request import parse_request
from spiderpool.errors import SpiderpoolError
from spiderpool.ipam.blocks import Change, by_block, new_object
from spiderpool.ipam.facts import Pod
from spiderpool.kernel.in_process import InProcess
from spiderpool.kube.api import Object
from spiderpool.kube.informer import Informers
from spiderpool.kube.resources import (
    NAMESPACE,
    NODE,
    POD,
    SPIDERENDPOINT,
    SPIDERIPBLOCK,
    SPIDERIPPOOL,
    SPIDERRESERVEDIP,
)
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.kube import FakeClient
from spiderpool.types.address import Address
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, NodeName, PodUID, PoolName

NODE_NAME = NodeName("node1")

DYING = re.compile(r"dead Pod ")
"""How upstream refuses a pod that is being deleted, which the recorded object does not show."""


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.stem for path in directory.glob("*.json"))


def judge(directory: Path, case: str) -> Judgement:
    """Each recorded answer against ours, in the order of the calls."""
    recorded = json.loads((directory / f"{case}.json").read_text())
    bench = Bench.of(directory)
    theirs = [_their_meaning(step) for step in recorded["steps"]]
    ours, endpoint = asyncio.run(_play(bench, recorded))
    pairs = enumerate(zip(theirs, ours, strict=True))
    found = [Leaf(f"step {place}", *pair) for place, pair in pairs if pair[0] != pair[1]]
    if found:
        return Judgement(case, explained(found, RULES, Allocations(recorded, bench, theirs, ours)))
    shown = leaves(_shown(recorded["endpoint"]), _shown(endpoint), "endpoint")
    return Judgement(case, tuple(Difference(str(leaf)) for leaf in shown))


def _shown(endpoint: Object | None) -> Object:
    """What a SpiderEndpoint says of its pod, by NIC; nothing when it has no address, as
    upstream's have whose plugin then fails."""
    status = (endpoint or {}).get("status") or {}
    current = status.get("current") or {}
    if endpoint is None or not current.get("ips"):
        return {}
    owners = endpoint["metadata"].get("ownerReferences") or ()
    return {
        "of": [f"{owner['kind']}/{owner['name']}" for owner in owners],
        "top": [status["ownerControllerType"], status["ownerControllerName"]],
        "node": current["node"],
        "nics": {
            ip["interface"]: {key: value for key, value in ip.items() if value not in ([], None)}
            for ip in current["ips"]
        },
    }


def _their_meaning(step: Object) -> Object:
    """What the plugin makes of the agent's answer: addresses and routes of its own NIC; an
    answer without any is an error."""
    if step["method"] == "DELETE":
        return {"ok": step["status"] == 200}
    answer = step["response"] if step["status"] == 200 else {}
    ips = [ip for ip in answer.get("ips") or () if ip["nic"] == step["ifName"]]
    if not ips:
        return {"ok": False}
    routes = [r for r in answer.get("routes") or () if r["ifName"] == step["ifName"]]
    return {
        "ok": True,
        "ips": [{"address": ip["address"], "gateway": ip.get("gateway")} for ip in ips],
        "routes": [{"dst": route["dst"], "gw": route["gw"]} for route in routes],
    }


async def _play(bench: Bench, recorded: Object) -> tuple[list[Object], Object | None]:
    """The same calls on our handler, upon an API in memory: the answers, and the SpiderEndpoint
    that is there in the end."""
    api = FakeClient()
    await _fill(api, bench, recorded)
    informers = Informers(api)
    sources = Sources(AgentCaches.start(informers, NODE_NAME), cluster_network=CLUSTER_NETWORK)
    service = IpamService(api, sources, bench.families)
    handler = IpamHandler(service, NODE_NAME, _nobody_listens, InProcess())
    await informers.synced()
    try:
        answers = [await _step(handler, api, recorded["pod"], step) for step in recorded["steps"]]
        endpoints = (await api.list(SPIDERENDPOINT))["items"]
        return answers, next(iter(endpoints), None)
    finally:
        await service.close()
        await informers.close()


async def _step(handler: IpamHandler, api: FakeClient, pod: Object, step: Object) -> Object:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    if step.get("note") == "pod terminating":
        await api.delete(POD, name, namespace)
    args = step["args"] or {}
    ipam = {
        "type": "spiderpool",
        "default_ipv4_ippool": args.get("defaultIPv4IPPool") or [],
        "default_ipv6_ippool": args.get("defaultIPv6IPPool") or [],
    }
    env = {
        "CNI_COMMAND": "ADD" if step["method"] == "POST" else "DEL",
        "CNI_CONTAINERID": "sandbox",
        "CNI_NETNS": "/proc/self/ns/net",
        "CNI_IFNAME": step["ifName"],
        "CNI_ARGS": f"K8S_POD_NAMESPACE={namespace};K8S_POD_NAME={name}",
        "SPIDERPOOL_PLUGIN": "spiderpool",
    }
    config = {"cniVersion": "1.0.0", "name": "recorded", "ipam": ipam}
    with Namespace.current() as own:
        try:
            answer = await handler.handle(parse_request(env, orjson.dumps(config)), own, None)
        except SpiderpoolError:
            return {"ok": False}
    return {"ok": True, **_our_meaning(answer)} if answer else {"ok": True}


def _our_meaning(answer: Object) -> Object:
    ips = [{"address": ip["address"], "gateway": ip.get("gateway")} for ip in answer["ips"]]
    return {"ips": ips, "routes": answer.get("routes", [])}


async def _fill(api: FakeClient, bench: Bench, recorded: Object) -> None:
    """The cluster as it was when the pod asked: what others held, they still hold."""
    pod = recorded["pod"]
    await api.create(NAMESPACE, {"metadata": {"name": pod["metadata"]["namespace"]}})
    await api.create(NODE, {"metadata": {"name": NODE_NAME}})
    made = await api.create(POD, pod)
    if any(DYING.match(str(step["response"])) for step in recorded["steps"]):
        await api.delete(POD, made["metadata"]["name"], made["metadata"]["namespace"])
    for name, spec in bench.pools.items():
        await api.create(SPIDERIPPOOL, {"metadata": {"name": name}, "spec": spec})
    reserved = {"metadata": {"name": "r"}, "spec": {"ips": list(RESERVED)}}
    await api.create(SPIDERRESERVEDIP, reserved)
    for key, group in by_block(_held_by_others(recorded)).items():
        await api.create(SPIDERIPBLOCK, new_object(key, group))


def _held_by_others(recorded: Object) -> list[Change]:
    metadata = recorded["pod"]["metadata"]
    mine = f"{metadata['namespace']}/{metadata['name']}"
    changes = []
    for pool, status in recorded["pools_with_allocations"].items():
        for address, holder in json.loads(status["allocatedIPs"]).items():
            if holder["pod"] != mine:
                slot = Slot(
                    generation=1,
                    state=SlotState.HELD,
                    pool=PoolName(pool),
                    pod=holder["pod"],
                    pod_uid=PodUID(holder["podUid"]),
                    nic=IfName("eth0"),
                )
                changes.append(Change(Address(address), Slot(), slot))
    return changes


async def _nobody_listens(pod: Pod, reason: str, message: str) -> None:
    """Events are not part of what was recorded."""
