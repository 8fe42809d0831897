"""Pods come and go while the agent of their node is ended and started again."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from agent_world import NODE_NAME, SYSTEM_PLUGINS, World, world
from attached_pod import attached_pod
from thin_clients import native

from spiderpool.cni.install import install, install_executable
from spiderpool.ctl.check import broken_rules
from spiderpool.ipam.invariants import Rule
from spiderpool.ipam.ledger import Ledger
from spiderpool.kube.resources import POD, SPIDERIPBLOCK
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_rule_line
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.ipblock import SlotState

pytestmark = pytest.mark.kernel

RESTARTS = (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)
IPAM = {"cniVersion": "1.0.0", "ipam": {"type": "spiderpool", "default_ipv4_ippool": ["10-6-v4"]}}
MACVLAN = IPAM | {"master": "ens192", "mode": "bridge"}
CLIENTS: Mapping[str, Callable[[Path], None]] = {
    "script": install,
    "executable": lambda folder: install_executable(folder, native()),
}


@dataclass
class Traffic:
    """Pods that are made and removed on one node; what was seen of it."""

    node: World
    over: asyncio.Event = field(default_factory=asyncio.Event)
    held: set[str] = field(default_factory=set)
    adding: set[int] = field(default_factory=set)
    """The ADDs under way, by number."""
    added: int = 0
    """How many ever began."""

    async def ipam_only(self, name: str) -> None:
        """One pod after another with an address and nothing else."""
        for number in itertools.count():
            if self.over.is_set():
                return
            env = await self._create_pod(f"{name}-{number}")
            result = await self._add("spiderpool", IPAM, env)
            address = self._take(result)
            await self._delete_pod(f"{name}-{number}", address)
            assert await self.node.plugin("DEL", config=IPAM, **env) == (0, None)

    async def whole_chain(self, name: str) -> None:
        """One pod after another with net1 by macvlan, wired by the coordinator."""
        for number in itertools.count():
            if self.over.is_set():
                return
            env = await self._create_pod(f"{name}-{number}")
            result = await self._add("macvlan", MACVLAN, env)
            address = self._take(result)
            chained = {"cniVersion": "1.0.0", "prevResult": result}
            await self._add("coordinator", chained, env)
            rules = {as_rule_line(rule) for rule in dump(self.node.pod).rules}
            assert f"32760:\tfrom {address.partition('/')[0]} lookup 100" in rules
            await self._delete_pod(f"{name}-{number}", address)
            assert await self.node.plugin("DEL", "coordinator", chained, **env) == (0, None)
            assert await self.node.plugin("DEL", "macvlan", MACVLAN, **env) == (0, None)

    async def has_waiting(self) -> bool:
        """Whether some ADD does not end, as it would within milliseconds with an agent."""
        known = set(self.adding)
        await asyncio.sleep(0.2)
        return bool(known & self.adding)

    async def _create_pod(self, name: str) -> dict[str, str]:
        spec = {"containers": [{"name": "main", "image": "nginx"}], "nodeName": NODE_NAME}
        metadata = {"name": name, "namespace": "default"}
        await self.node.client.create(POD, {"metadata": metadata, "spec": spec})
        words = f"IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME={name}"
        return {"CNI_CONTAINERID": name, "CNI_ARGS": words}

    async def _add(self, plugin: str, config: Mapping[str, Any], env: dict[str, str]) -> Any:
        number = self.added = self.added + 1
        self.adding.add(number)
        status, result = await self.node.plugin("ADD", plugin, config, **env)
        self.adding.remove(number)
        assert status == 0, result
        return result

    def _take(self, result: Any) -> str:
        (ip,) = result["ips"]
        address: str = ip["address"]
        assert address not in self.held, f"{address} is given twice"
        self.held.add(address)
        return address

    async def _delete_pod(self, name: str, address: str) -> None:
        """From now on the address may be given again."""
        await self.node.client.delete(POD, name, "default", grace_seconds=0)
        self.held.remove(address)


async def restart(traffic: Traffic, number: int) -> None:
    """End the agent; start another once an ADD waits for it."""
    status = await traffic.node.stop_agent(number)
    assert status == (0 if number == signal.SIGTERM else -number)
    while not await traffic.has_waiting():
        await asyncio.sleep(0.01)
    await traffic.node.start_agent()


def state_of(namespace: Namespace) -> set[object]:
    """Rules, links, and routes that are not the kernel's own (RTPROT_KERNEL)."""
    seen = dump(namespace)
    routes = {route for route in seen.routes if route.protocol != 2}
    return {*seen.rules, *routes, *(link.name for link in seen.links)}


@pytest.mark.skipif(
    not (SYSTEM_PLUGINS / "macvlan").exists(), reason=f"no macvlan plugin in {SYSTEM_PLUGINS}"
)
@pytest.mark.parametrize("client", CLIENTS)
def test_no_pod_notices(tmp_path: Path, client: str) -> None:
    async def main() -> None:
        with attached_pod(tmp_path / "unused") as wired:
            wired.calico()
            before = state_of(wired.node)
            async with world(tmp_path, wired.node, wired.pod) as node:
                CLIENTS[client](tmp_path / "bin")
                await node.start_agent()
                traffic = Traffic(node)
                async with asyncio.timeout(90), asyncio.TaskGroup() as group:
                    group.create_task(traffic.whole_chain("chain"))
                    for name in ("a", "b", "c"):
                        group.create_task(traffic.ipam_only(name))
                    for number in RESTARTS:
                        known = traffic.added
                        while traffic.added < known + 8:
                            await asyncio.sleep(0.01)
                        await restart(traffic, number)
                    traffic.over.set()
                await everything_is_given_back(node)
            assert state_of(wired.node) == before

    asyncio.run(main())


async def everything_is_given_back(node: World) -> None:
    """Once the notes of DELs that met no agent are settled."""
    async with asyncio.timeout(40):
        while list(node.intents.glob("*")):
            await asyncio.sleep(0.05)
    ledger = Ledger((await node.client.list(SPIDERIPBLOCK))["items"])
    assert not [entry for entry in ledger.entries() if entry.slot.state is SlotState.HELD]
    broken = await broken_rules(node.client)
    # endpoints go with their pods, by Kubernetes' garbage collector, which is not here
    assert [problem for problem in broken if problem.rule is not Rule.ENDPOINT] == []
