"""Agent and kernel role work with exactly what the chart gives to their containers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from agent_world import SYSTEM_PLUGINS, World, world
from attached_pod import AttachedPod, attached_pod
from deploy_chart import Object, Render, one, pods
from kernel_roles import KernelProcess, powers, shared_folder

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


@pytest.fixture
def roles(render: Render) -> tuple[Object, Object]:
    """The security contexts of the agent and of the kernel role."""
    pod = pods([one(render(), "DaemonSet", "spiderpool-agent")])["spiderpool-agent"]
    agent, kernel = (container["securityContext"] for container in pod["containers"])
    return agent, kernel


async def chain(made: World) -> tuple[int, Any]:
    """ADD of the page's chain; the answer of the first plugin that fails, or of the last."""
    status, result = await made.plugin("ADD", "macvlan", MACVLAN | IPAM)
    if status:
        return status, result
    return await made.plugin("ADD", "coordinator", VERSION | {"prevResult": result})


def with_powers(context: Object, without: Sequence[str] = ()) -> tuple[str, ...]:
    given = context["capabilities"].get("add", ())
    kept = [name for name in given if name not in without]
    return powers(context["runAsUser"], context["runAsGroup"], kept)


def attach(roles: tuple[Object, Object], *without: str) -> tuple[int, Any, set[str]]:
    """Status and answer of the chain, and the pod's rules after it; ``without`` are
    capabilities that the kernel role lacks."""
    agent, kernel = roles
    user = agent["runAsUser"]

    async def act(folder: Path, wired: AttachedPod, path: Path) -> tuple[int, Any, set[str]]:
        async with world(folder, wired.node, wired.pod) as made:
            made.prefix, made.options = with_powers(agent), (f"--kernel-socket={path}",)
            body = {"spec": {"detectIPConflict": True}}
            await made.client.patch(SPIDERCOORDINATOR, "default", body)
            await made.start_agent()
            status, answer = await chain(made)
            return status, answer, {as_rule_line(rule) for rule in dump(wired.pod).rules}

    with shared_folder(user) as folder, attached_pod(folder / "unused") as wired:
        wired.calico()
        role = KernelProcess(folder / "kernel" / "sock", user, with_powers(kernel, without))
        role.start()
        try:
            return asyncio.run(act(folder, wired, role.path))
        finally:
            role.kill()


def test_what_the_chart_gives_is_enough(roles: tuple[Object, Object]) -> None:
    status, answer, rules = attach(roles)
    assert status == 0, answer
    assert "32760:\tfrom 10.6.212.101 lookup 100" in rules


@pytest.mark.parametrize("missing", ["NET_ADMIN", "NET_RAW"])
def test_these_are_needed(roles: tuple[Object, Object], missing: str) -> None:
    status, answer, _ = attach(roles, missing)
    assert status == 1, answer
    assert "not permitted" in answer["msg"] + answer.get("details", "")


def test_without_sys_admin_it_does_not_even_start(roles: tuple[Object, Object]) -> None:
    with pytest.raises(AssertionError, match="cannot be made: Operation not permitted"):
        attach(roles, "SYS_ADMIN")
