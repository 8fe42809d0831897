"""kubelet makes and unmakes pods with real plugins, and says in the API what it did."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from page_cluster import PAGE

from harness.netns import isolated
from harness.netns.ledger import Ledger
from harness.nodes.calico import Calico
from harness.nodes.kubelet import Kubelet
from harness.nodes.multus import Multus
from harness.nodes.plugins import machine_plugins
from harness.nodes.sandboxes import Sandboxes, StopServing
from harness.topology.build import build
from harness.topology.load import load
from spiderpool.errors import NotFound
from spiderpool.kube.informer import Informers, cancel
from spiderpool.kube.resources import EVENT, NETWORKATTACHMENT, NODE, POD
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.kube import FakeClient

pytestmark = [pytest.mark.kernel, pytest.mark.binary("macvlan")]

NODE_NAME = "worker01"
LIMIT = 20.0

RECORDER = f"""#!{os.path.realpath(sys.executable)} -ISE
import json, os, sys
config = json.load(sys.stdin)
call = {{"command": os.environ["CNI_COMMAND"], "plugin": config["label"], "config": config,
         "env": dict(os.environ), "cwd": os.getcwd(),
         "links": os.listdir("/proc/sys/net/ipv4/conf")}}
with open(os.environ["RECORD"], "a") as log:
    print(json.dumps(call), file=log)
if os.environ["CNI_COMMAND"] == "ADD" and os.path.exists(os.environ["RECORD"] + ".broken"):
    print(json.dumps({{"cniVersion": "1.0.0", "code": 11, "msg": "not today"}}))
    sys.exit(1)
if os.environ["CNI_COMMAND"] == "ADD":
    print(json.dumps(config["prevResult"]))
"""


def macvlan(address: str) -> dict[str, Any]:
    ipam = {"type": "static", "addresses": [{"address": address}]}
    return {"type": "macvlan", "master": "ens192", "mode": "bridge", "ipam": ipam}


def attachment(name: str, *plugins: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
    config = {"cniVersion": "1.0.0", "name": name, "plugins": plugins}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"config": json.dumps(config)},
    }


PAGE_NETWORK = attachment(
    "macvlan-ens192",
    macvlan("10.6.212.145/16"),
    {"type": "recorder", "label": "first"},
    {"type": "recorder", "label": "second"},
)


class World:
    """One node with its kubelet, on the in-memory API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "record"
        self.ledger = Ledger()
        self.api = FakeClient()
        self.serving: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def up(self) -> None:
        plugins = self.folder / "bin"
        plugins.mkdir()
        for name in ("macvlan", "static"):
            (plugins / name).symlink_to(machine_plugins()[name])
        (plugins / "recorder").write_text(RECORDER)
        (plugins / "recorder").chmod(0o755)
        topology = load(PAGE)
        machine = next(node for node in topology.nodes if node.name == NODE_NAME)
        build(topology, self.ledger)
        node = self.ledger[NODE_NAME]
        informers = Informers(self.api)
        sandboxes = Sandboxes(
            self.ledger,
            Calico(machine, topology, node),
            Multus(node, plugins, {"RECORD": str(self.record)}),
            informers.of(NETWORKATTACHMENT),
            self.serve,
        )
        pods = informers.of(POD, field_selector=f"spec.nodeName={NODE_NAME}")
        await informers.synced()
        kubelet = Kubelet(self.api, machine, pods, sandboxes)
        self.tasks.append(asyncio.create_task(kubelet.run()))

    async def serve(self, pod: dict[str, Any], namespace: Namespace) -> StopServing:
        name = pod["metadata"]["name"]
        self.serving.append(name)
        return lambda: self.serving.remove(name)

    async def add_pod(
        self, name: str = "web", command: str = "", **annotations: str
    ) -> dict[str, Any]:
        """With a ``command``, of a pod that nobody restarts."""
        container = {"name": "c", "image": "nginx"} | ({"command": [command]} if command else {})
        policy = {"restartPolicy": "Never"} if command else {}
        return await self.api.create(
            POD,
            {
                "metadata": {"name": name, "namespace": "default", "annotations": annotations},
                "spec": {"nodeName": NODE_NAME, "containers": [container], **policy},
            },
        )

    async def pod(self, name: str = "web") -> dict[str, Any] | None:
        try:
            return await self.api.get(POD, name, "default")
        except NotFound:
            return None

    async def ready(
        self, name: str = "web", uid: str = "", phase: str = "Running"
    ) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            while True:
                pod = await self.pod(name)
                same = pod is not None and (not uid or pod["metadata"]["uid"] == uid)
                if pod is not None and same and pod.get("status", {}).get("phase") == phase:
                    return pod
                await asyncio.sleep(0.002)

    async def gone(self, name: str = "web") -> None:
        async with asyncio.timeout(LIMIT):
            while await self.pod(name) is not None or f"default/{name}" in self.ledger:
                await asyncio.sleep(0.002)

    async def complaint(self) -> str:
        async with asyncio.timeout(LIMIT):
            while not (events := (await self.api.list(EVENT))["items"]):
                await asyncio.sleep(0.002)
        assert events[0]["reason"] == "FailedCreatePodSandBox"
        return str(events[0]["message"])

    def calls(self) -> list[dict[str, Any]]:
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [json.loads(line) for line in lines]

    def pod_links(self) -> set[str]:
        """The node's ends of pods' wires."""
        links = dump(self.ledger[NODE_NAME]).links
        return {link.name for link in links if link.name.startswith("cali")}


NETWORKS = "k8s.v1.cni.cncf.io/networks"


async def a_pod_has_both_nics_and_says_so(world: World) -> None:
    await world.api.create(NETWORKATTACHMENT, PAGE_NETWORK)
    await world.add_pod(**{NETWORKS: "macvlan-ens192"})
    pod = await world.ready()
    state = dump(world.ledger["default/web"])
    reported = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])
    assert [(entry["name"], entry["interface"], entry["ips"]) for entry in reported] == [
        ("k8s-pod-network", "eth0", [pod["status"]["podIP"]]),
        ("default/macvlan-ens192", "net1", ["10.6.212.145"]),
    ]
    assert [entry.get("default", False) for entry in reported] == [True, False]
    for entry in reported:
        link = state.link(entry["interface"])
        assert link is not None
        assert (link.mac, link.up) == (entry["mac"], True)
        held = [str(a.address).partition("/")[0] for a in state.addresses_of(link.name)]
        assert entry["ips"][0] in held
    conditions = {entry["type"]: entry["status"] for entry in pod["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    assert pod["status"]["hostIP"] == "10.6.212.132"
    assert world.serving == ["web"]


async def the_node_is_ready(world: World) -> None:
    async with asyncio.timeout(LIMIT):
        while not (nodes := (await world.api.list(NODE))["items"]) or not nodes[0].get("status"):
            await asyncio.sleep(0.002)
    status = nodes[0]["status"]
    assert {"type": "InternalIP", "address": "10.6.212.132"} in status["addresses"]
    assert [c["status"] for c in status["conditions"] if c["type"] == "Ready"] == ["True"]


async def plugins_are_called_in_order_and_back(world: World) -> None:
    await world.api.create(NETWORKATTACHMENT, PAGE_NETWORK)
    created = await world.add_pod(**{NETWORKS: "macvlan-ens192@fast"})
    await world.ready()
    await world.api.delete(POD, "web", "default")
    await world.gone()
    calls = world.calls()
    assert [(call["command"], call["plugin"]) for call in calls] == [
        ("ADD", "first"), ("ADD", "second"), ("DEL", "second"), ("DEL", "first"),
    ]  # fmt: skip
    for call in calls:
        result = call["config"]["prevResult"]
        assert result["ips"][0]["address"] == "10.6.212.145/16"
        assert (call["config"]["name"], call["config"]["cniVersion"]) == ("macvlan-ens192", "1.0.0")
        env = call["env"]
        assert env["CNI_IFNAME"] == "fast"
        assert f"K8S_POD_UID={created['metadata']['uid']}" in env["CNI_ARGS"]
        assert "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web" in env["CNI_ARGS"]
        assert "ens192" in call["links"], "plugins run in the node's namespace"
        assert call["cwd"] == "/"
    assert len({call["env"]["CNI_CONTAINERID"] for call in calls}) == 1
    assert world.pod_links() == set()
    assert world.serving == []


async def a_failure_leaves_nothing_and_is_told(world: World) -> None:
    broken = world.record.with_suffix(".broken")
    broken.touch()
    await world.api.create(NETWORKATTACHMENT, PAGE_NETWORK)
    await world.add_pod(**{NETWORKS: "macvlan-ens192"})
    assert "recorder failed ADD: not today" in await world.complaint()
    broken.unlink()
    await world.ready()
    calls = world.calls()
    failed = calls[0]["env"]["CNI_CONTAINERID"]
    undone = [c["plugin"] for c in calls if c["env"]["CNI_CONTAINERID"] == failed][1:]
    assert undone == ["second", "first"], "the failed sandbox was taken back"
    assert calls[-1]["env"]["CNI_CONTAINERID"] != failed
    assert len(world.pod_links()) == 1


async def a_network_may_come_later(world: World) -> None:
    await world.add_pod(**{NETWORKS: "macvlan-ens192"})
    assert "default/macvlan-ens192: does not exist" in await world.complaint()
    async with asyncio.timeout(LIMIT):
        while world.pod_links():  # of an attempt that is just being made
            await asyncio.sleep(0.001)
    await world.api.create(NETWORKATTACHMENT, PAGE_NETWORK)
    await world.ready()


async def another_network_can_make_eth0(world: World) -> None:
    network = attachment("underlay", macvlan("10.6.212.150/16"), namespace="kube-system")
    await world.api.create(NETWORKATTACHMENT, network)
    await world.add_pod(**{"v1.multus-cni.io/default-network": "kube-system/underlay"})
    pod = await world.ready()
    assert pod["status"]["podIP"] == "10.6.212.150"
    assert world.pod_links() == set(), "no wire of Calico's"
    assert dump(world.ledger["default/web"]).link("eth0") is not None


async def a_pod_that_comes_back_waits_for_the_old_one(world: World) -> None:
    await world.api.create(NETWORKATTACHMENT, PAGE_NETWORK)
    annotations = {NETWORKS: "macvlan-ens192"}
    await world.add_pod(**annotations)
    first = await world.ready()
    await world.api.delete(POD, "web", "default", grace_seconds=0)
    second = await world.add_pod(**annotations)
    pod = await world.ready(uid=second["metadata"]["uid"])
    assert pod["metadata"]["uid"] != first["metadata"]["uid"]
    assert [call["command"] for call in world.calls()] == ["ADD", "ADD", "DEL", "DEL", "ADD", "ADD"]


async def a_pod_that_ends_keeps_its_object_only(world: World) -> None:
    await world.api.create(NETWORKATTACHMENT, PAGE_NETWORK)
    for command, phase, code in (("true", "Succeeded", 0), ("false", "Failed", 1)):
        await world.add_pod(command, command, **{NETWORKS: "macvlan-ens192"})
        pod = await world.ready(command, phase=phase)
        (container,) = pod["status"]["containerStatuses"]
        assert container["state"]["terminated"]["exitCode"] == code
        conditions = {entry["type"]: entry["status"] for entry in pod["status"]["conditions"]}
        assert (conditions["Ready"], conditions["Initialized"]) == ("False", "True")
        assert f"default/{command}" not in world.ledger
        await world.api.delete(POD, command, "default")
        await world.gone(command)
    assert [call["command"] for call in world.calls()] == ["ADD", "ADD", "DEL", "DEL"] * 2
    assert world.pod_links() == set()
    assert world.serving == []


Case = Callable[[World], Awaitable[None]]


@pytest.mark.parametrize(
    "case",
    [
        a_pod_has_both_nics_and_says_so,
        the_node_is_ready,
        plugins_are_called_in_order_and_back,
        a_failure_leaves_nothing_and_is_told,
        a_network_may_come_later,
        another_network_can_make_eth0,
        a_pod_that_comes_back_waits_for_the_old_one,
        a_pod_that_ends_keeps_its_object_only,
    ],
    ids=lambda function: function.__name__,
)
def test_kubelet(case: Case) -> None:
    isolated.call(carry_out, case)


def carry_out(case: Case) -> None:
    async def body(folder: Path) -> None:
        world = World(folder)
        try:
            await world.up()
            await case(world)
        finally:
            await cancel(world.tasks)

    folder = Path(tempfile.mkdtemp(dir="/run"))
    asyncio.run(body(folder))
    shutil.rmtree(folder)
