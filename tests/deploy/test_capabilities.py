"""The agent works with exactly the capabilities that the chart gives its container."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from agent_world import SYSTEM_PLUGINS, World, world
from attached_pod import AttachedPod, attached_pod
from deploy_chart import Render, one, pods

from spiderpool.kube.resources import SPIDERCOORDINATOR
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_rule_line

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("helm"),
    pytest.mark.binary("setpriv"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up capabilities one by one"),
    pytest.mark.skipif(
        not (SYSTEM_PLUGINS / "macvlan").exists(), reason=f"no macvlan plugin in {SYSTEM_PLUGINS}"
    ),
]

IPAM = {"ipam": {"type": "spiderpool", "default_ipv4_ippool": ["10-6-v4"]}}
VERSION = {"cniVersion": "1.0.0"}
MACVLAN = VERSION | {"master": "ens192", "mode": "bridge"}
KERNEL = ("NET_ADMIN", "NET_RAW", "SYS_ADMIN")


async def start(made: World, capabilities: tuple[str, ...]) -> None:
    """The agent as root with these capabilities alone, as a container runtime starts it."""

    async def spawn(log: BinaryIO) -> asyncio.subprocess.Process:
        kept = ",".join(["-all", *(f"+{name.lower()}" for name in capabilities)])
        return await asyncio.create_subprocess_exec(
            *("setpriv", f"--bounding-set={kept}", f"--inh-caps={kept}"),
            *("--", sys.executable, "-m", "spiderpool.agent", "--node=worker01"),
            *(f"--socket={made.folder / 'agent.sock'}", f"--state-dir={made.folder / 'state'}"),
            f"--kubeconfig={made.folder / 'kubeconfig'}",
            f"--netns=/proc/self/fd/{made.node.fd}",
            stderr=log,
            pass_fds=(made.node.fd,),
        )

    made._spawn_agent = spawn  # type: ignore[method-assign]
    body = {"spec": {"detectIPConflict": True}}
    await made.client.patch(SPIDERCOORDINATOR, "default", body)
    await made.start_agent()


async def chain(made: World) -> tuple[int, Any]:
    """ADD of the page's chain; the answer of the first plugin that fails, or of the last."""
    status, result = await made.plugin("ADD", "macvlan", MACVLAN | IPAM)
    if status:
        return status, result
    return await made.plugin("ADD", "coordinator", VERSION | {"prevResult": result})


def attach(folder: Path, capabilities: tuple[str, ...]) -> tuple[int, Any, set[str]]:
    """Status and answer of the chain, and the pod's rules after it."""

    async def act(wired: AttachedPod) -> tuple[int, Any, set[str]]:
        async with world(folder, wired.node, wired.pod) as made:
            await start(made, capabilities)
            status, answer = await chain(made)
            return status, answer, {as_rule_line(rule) for rule in dump(wired.pod).rules}

    with attached_pod(folder / "unused") as wired:
        wired.calico()
        return asyncio.run(act(wired))


def test_what_the_chart_gives_is_enough(tmp_path: Path, render: Render) -> None:
    agent = pods([one(render(), "DaemonSet", "spiderpool-agent")])["spiderpool-agent"]
    given = tuple(agent["containers"][0]["securityContext"]["capabilities"]["add"])
    assert given == KERNEL
    status, answer, rules = attach(tmp_path, given)
    assert status == 0, answer
    assert "32760:\tfrom 10.6.212.101 lookup 100" in rules


@pytest.mark.parametrize("missing", ["NET_ADMIN", "NET_RAW"])
def test_these_are_needed(tmp_path: Path, missing: str) -> None:
    status, answer, _ = attach(tmp_path, tuple(name for name in KERNEL if name != missing))
    assert status == 1, answer
    assert "not permitted" in answer["msg"] + answer.get("details", "")
