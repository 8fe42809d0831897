"""Pods that come and go on one node, each by real CNI calls."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from agent_world import NODE_NAME, World

from spiderpool.kube.resources import POD
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_rule_line

IPAM = {"cniVersion": "1.0.0", "ipam": {"type": "spiderpool", "default_ipv4_ippool": ["10-6-v4"]}}
MACVLAN = IPAM | {"master": "ens192", "mode": "bridge"}


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

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Four pods at a time; on exit the last of them are removed."""
        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            group.create_task(self.whole_chain("chain"))
            for name in ("a", "b", "c"):
                group.create_task(self.ipam_only(name))
            yield self
            self.over.set()

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

    async def until_one_waits(self) -> None:
        """Return when some ADD does not end, as it would within milliseconds with an agent."""
        known: set[int] = set()
        while not known & self.adding:
            known = set(self.adding)
            await asyncio.sleep(0.2)

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

    async def meet(self, count: int) -> None:
        """Wait until so many more ADDs have begun."""
        known = self.added
        while self.added < known + count:
            await asyncio.sleep(0.01)
