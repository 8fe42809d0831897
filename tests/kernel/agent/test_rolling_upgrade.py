"""Pods come and go while the agent of their node is ended and started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from agent_world import World, world
from attached_pod import attached_pod
from kernel_roles import KernelProcess
from pod_traffic import Traffic
from thin_clients import native

from spiderpool.cni.install import install, install_executable
from spiderpool.ctl.check import broken_rules
from spiderpool.errors import CniCode
from spiderpool.ipam.invariants import Rule
from spiderpool.ipam.ledger import Ledger
from spiderpool.kube.resources import SPIDERIPBLOCK
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.ipblock import SlotState

pytestmark = [pytest.mark.kernel, pytest.mark.binary("macvlan")]

CLIENTS: Mapping[str, Callable[[Path], None]] = {
    "script": install,
    "executable": lambda folder: install_executable(folder, native()),
}
CRASH, UPGRADE = signal.SIGKILL, signal.SIGTERM


async def end(node: World, number: signal.Signals) -> None:
    assert await node.stop_agent(number) == (0 if number is UPGRADE else -number)


async def replace_agent(traffic: Traffic, number: signal.Signals) -> None:
    """End the agent; start another once an ADD waits for it."""
    await end(traffic.node, number)
    await traffic.until_one_waits()
    await traffic.node.start_agent()


async def replace_both(traffic: Traffic, kernel: KernelProcess, number: signal.Signals) -> None:
    """As Kubernetes does: both are told at once; the next kernel role comes after its agent."""
    assert kernel.process is not None
    kernel.process.send_signal(number)
    await end(traffic.node, number)
    assert await asyncio.to_thread(kernel.process.wait, 20) == (0 if number is UPGRADE else -number)
    await traffic.until_one_waits()
    agent = asyncio.create_task(traffic.node.start_agent())
    while (await traffic.node.plugin("STATUS"))[1]["code"] != CniCode.PLUGIN_NOT_AVAILABLE:
        await asyncio.sleep(0.02)
    await traffic.until_one_waits()
    await asyncio.to_thread(kernel.start)
    await agent


@pytest.mark.parametrize("client", CLIENTS)
def test_no_pod_notices(tmp_path: Path, client: str) -> None:
    async def scenario(node: World) -> None:
        CLIENTS[client](tmp_path / "bin")
        await node.start_agent()
        async with Traffic(node).running() as traffic:
            for number in (UPGRADE, CRASH, UPGRADE, CRASH):
                await traffic.meet(8)
                await replace_agent(traffic, number)

    run(tmp_path, scenario)


def test_no_pod_notices_that_two_processes_are_replaced(tmp_path: Path) -> None:
    kernel = KernelProcess(tmp_path / "kernel.sock", os.geteuid())

    async def scenario(node: World) -> None:
        CLIENTS["executable"](tmp_path / "bin")
        node.options = (f"--kernel-socket={kernel.path}",)
        await node.start_agent()
        async with Traffic(node).running() as traffic:
            for number in (UPGRADE, CRASH):
                await traffic.meet(8)
                await replace_both(traffic, kernel, number)

    kernel.start()
    try:
        run(tmp_path, scenario)
    finally:
        kernel.kill()


def run(folder: Path, scenario: Callable[[World], Awaitable[None]]) -> None:
    """With a node that has ens192 and a pod that has Calico's eth0; nothing may be left."""

    async def main() -> None:
        with attached_pod(folder / "unused") as wired:
            wired.calico()
            before = state_of(wired.node)
            async with world(folder, wired.node, wired.pod) as node:
                await scenario(node)
                await everything_is_given_back(node)
            assert state_of(wired.node) == before

    asyncio.run(main())


def state_of(namespace: Namespace) -> set[object]:
    """Rules, links, and routes that are not the kernel's own (RTPROT_KERNEL)."""
    seen = dump(namespace)
    routes = {route for route in seen.routes if route.protocol != 2}
    return {*seen.rules, *routes, *(link.name for link in seen.links)}


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
