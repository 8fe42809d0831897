"""The agent without any capability, and the kernel role without a token: two processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_world import World, world
from attached_pod import AttachedPod, attached_pod
from kernel_roles import KernelProcess, powers, shared_folder

from spiderpool.kube.resources import SPIDERCOORDINATOR
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_rule_line
from spiderpool.netlink.namespace import Namespace

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("setpriv"),
    pytest.mark.binary("macvlan"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]

AGENT = 65532
CAPABILITIES = ("NET_ADMIN", "NET_RAW", "SYS_ADMIN")
POOLS = {"default_ipv4_ippool": ["10-6-v4"]}
IPAM = {"ipam": {"type": "spiderpool", "detect_ip_conflict": True, **POOLS}}
VERSION = {"cniVersion": "1.0.0"}
MACVLAN = VERSION | {"master": "ens192", "mode": "bridge"}
RULE = "32760:\tfrom 10.6.212.101 lookup 100"

Scenario = Callable[[World, AttachedPod, KernelProcess], Awaitable[None]]


@pytest.fixture
def folder() -> Iterator[Path]:
    with shared_folder(AGENT) as folder:
        yield folder


def run(folder: Path, scenario: Scenario) -> None:
    """On a node with ens192 and a pod with Calico's eth0; both processes run."""
    kernel = KernelProcess(folder / "kernel" / "sock", AGENT, powers(0, AGENT, CAPABILITIES))

    async def main(wired: AttachedPod) -> None:
        async with world(folder, wired.node, wired.pod) as made:
            made.prefix = powers(AGENT, AGENT, ())
            made.options = (f"--kernel-socket={kernel.path}",)
            detect = {"spec": {"detectIPConflict": True, "detectGateway": True}}
            await made.client.patch(SPIDERCOORDINATOR, "default", detect)
            await made.start_agent()
            await scenario(made, wired, kernel)

    with attached_pod(folder / "unused") as wired:
        wired.calico()
        kernel.start()
        try:
            asyncio.run(main(wired))
        finally:
            kernel.kill()


def status_of(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def rules(namespace: Namespace) -> set[str]:
    return {as_rule_line(rule) for rule in dump(namespace).rules}


async def attach(made: World) -> dict[str, Any]:
    """ADD of macvlan with its addresses; what the coordinator is given next."""
    status, result = await made.plugin("ADD", "macvlan", MACVLAN | IPAM)
    assert status == 0, result
    return VERSION | {"prevResult": result}


def test_the_pages_chain(folder: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, kernel: KernelProcess) -> None:
        before = wired.lasting()
        chained = await attach(made)
        status, result = await made.plugin("ADD", "coordinator", chained)
        assert status == 0, result
        assert RULE in rules(wired.pod)
        assert await made.plugin("CHECK", "coordinator", chained) == (0, None)
        assert await made.plugin("DEL", "coordinator", chained) == (0, None)
        assert RULE not in rules(wired.pod)
        assert wired.lasting()[1] == before[1]

    run(folder, scenario)


def test_who_may_what(folder: Path) -> None:
    """The agent has no capability; the kernel role three, and no network."""

    async def scenario(made: World, wired: AttachedPod, kernel: KernelProcess) -> None:
        assert made.agent is not None
        assert kernel.process is not None
        agent, role = status_of(made.agent.pid), status_of(kernel.process.pid)
        assert agent["Uid"].split() == [str(AGENT)] * 4
        for kind in ("CapEff", "CapPrm", "CapBnd", "CapInh"):
            assert int(agent[kind], 16) == 0, kind
        assert int(role["CapEff"], 16) == int(role["CapBnd"], 16) == 1 << 12 | 1 << 13 | 1 << 21
        with Namespace.open(f"/proc/{kernel.process.pid}/ns/net") as own:
            links = dump(own).links
        assert [link.name for link in links if link.up] == []

    run(folder, scenario)


def test_an_add_outlives_the_kernel_role(folder: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, kernel: KernelProcess) -> None:
        chained = await attach(made)
        assert kernel.process is not None
        kernel.process.send_signal(signal.SIGSTOP)
        add = asyncio.create_task(made.plugin("ADD", "coordinator", chained))
        await asyncio.sleep(0.3)
        assert not add.done()
        kernel.kill()
        status, answer = await made.plugin("STATUS")
        assert (status, answer["code"]) == (1, 50)
        assert f"the kernel role at {kernel.path} does not answer" in answer["msg"]
        assert not add.done()
        kernel.start()
        status, answer = await add
        assert status == 0, answer
        assert RULE in rules(wired.pod)

    run(folder, scenario)


def test_a_del_without_a_kernel_role_is_done_when_there_is_one(folder: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, kernel: KernelProcess) -> None:
        before = wired.lasting()[1]
        chained = await attach(made)
        assert (await made.plugin("ADD", "coordinator", chained))[0] == 0
        assert wired.lasting()[1] != before
        kernel.kill()
        assert await made.plugin("DEL", "coordinator", chained) == (0, None)
        assert len(list(made.intents.glob("*.intent"))) == 1
        kernel.start()
        async with asyncio.timeout(20):
            while list(made.intents.iterdir()):
                await asyncio.sleep(0.02)
        assert wired.lasting()[1] == before

    run(folder, scenario)


def test_an_intent_that_roots_plugin_left_can_be_settled(folder: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, kernel: KernelProcess) -> None:
        assert await made.stop_agent() == 0
        assert await made.plugin("DEL", config=IPAM, SPIDERPOOL_BUDGET_MS="0") == (0, None)
        (intent,) = made.intents.glob("*.intent")
        assert intent.owner() == "root"
        await made.start_agent()
        async with asyncio.timeout(20):
            while list(made.intents.iterdir()):
                await asyncio.sleep(0.02)

    run(folder, scenario)


def test_the_agent_cannot_lead_roots_plugin_elsewhere(folder: Path) -> None:
    """Not by a link in the place of the intents; the control: in its own folders it may."""
    intents = folder / "state" / "intents"
    move = [*powers(AGENT, AGENT, ()), "mv", "-T"]
    mine = folder / "state" / "footprints" / "x"
    subprocess.run([*powers(AGENT, AGENT, ()), "mkdir", mine], check=True)
    subprocess.run([*move, mine, mine.with_name("y")], check=True)
    done = subprocess.run([*move, intents, mine], capture_output=True, text=True, check=False)
    assert "Permission denied" in done.stderr
    assert intents.is_dir()


def test_one_that_is_told_to_end_goes_on_until_the_agent_has(folder: Path) -> None:
    async def scenario(made: World, wired: AttachedPod, kernel: KernelProcess) -> None:
        chained = await attach(made)
        assert kernel.process is not None
        kernel.process.send_signal(signal.SIGTERM)
        status, answer = await made.plugin("ADD", "coordinator", chained)
        assert status == 0, answer
        assert kernel.process.poll() is None
        assert await made.stop_agent() == 0
        assert await asyncio.to_thread(kernel.process.wait, 10) == 0

    run(folder, scenario)
