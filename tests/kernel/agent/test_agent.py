"""The plugin as kubelet executes it, a real agent, a real API, namespaces of their own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from agent_world import NODE_ADDRESS, World, world

from spiderpool.kube.resources import POD, SPIDERENDPOINT
from spiderpool.testing.namespaces import new_namespace

pytestmark = pytest.mark.kernel

IPAM = {"ipam": {"type": "spiderpool", "default_ipv4_ippool": ["10-6-v4"]}}


def run(folder: Path, scenario: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        with new_namespace() as node, new_namespace() as pod:
            async with world(folder, node, pod) as made:
                await made.start_agent()
                await scenario(made)

    asyncio.run(main())


def test_an_address_is_given_kept_and_taken_back(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        status, result = await made.plugin("ADD", config=IPAM)
        assert status == 0, result
        (ip,) = result["ips"]
        assert ip["address"] == "10.6.212.101/16", f"{NODE_ADDRESS} is the node's own"
        assert ip["gateway"] == "10.6.0.1"
        assert await made.plugin("ADD", config=IPAM) == (0, result)
        assert await made.plugin("CHECK", config=IPAM | {"prevResult": result}) == (0, None)
        endpoint = await made.client.get(SPIDERENDPOINT, "nginx", "default")
        assert "10.6.212.101/16" in str(endpoint["status"])
        await made.client.delete(POD, "nginx", "default", grace_seconds=0)
        assert await made.plugin("DEL", config=IPAM) == (0, None)
        assert await made.plugin("DEL", config=IPAM, CNI_NETNS="/gone") == (0, None)
        status, answer = await made.plugin("CHECK", config=IPAM | {"prevResult": result})
        assert (status, answer["code"]) == (1, 102)

    run(tmp_path, scenario)


def test_log_lines_carry_pod_and_container(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        await made.plugin("ADD", config=IPAM)
        lines = [line for line in made.log() if "ADD net1 of pod" in line["message"]]
        assert {(line["pod"], line["container"]) for line in lines} == {("default/nginx", "c0ffee")}

    run(tmp_path, scenario)


def test_errors_reach_the_runtime(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        none_left = {"ipam": {"type": "spiderpool", "default_ipv4_ippool": ["other"]}}
        status, answer = await made.plugin("ADD", config=none_left)
        assert status == 1
        assert "other" in answer["msg"]
        status, answer = await made.plugin("ADD", config=IPAM, CNI_NETNS="/gone")
        assert (status, answer["code"]) == (1, 4)
        not_a_namespace = str(tmp_path / "agent.log")
        status, answer = await made.plugin("ADD", config=IPAM, CNI_NETNS=not_a_namespace)
        assert (status, answer["code"]) == (1, 4)

    run(tmp_path, scenario)


def test_an_agent_that_is_killed_midway_means_try_again(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        assert made.agent is not None
        made.agent.send_signal(signal.SIGSTOP)
        add = asyncio.create_task(made.plugin("ADD", config=IPAM))
        delete = asyncio.create_task(made.plugin("DEL", config=IPAM))
        await asyncio.sleep(0.2)
        assert not add.done()
        assert not delete.done()
        await made.stop_agent(signal.SIGKILL)
        status, answer = await add
        assert (status, answer["code"]) == (1, 11)
        assert await delete == (0, None)
        assert len(list(made.intents.glob("*.intent"))) == 1
        await made.start_agent()
        assert (await made.plugin("ADD", config=IPAM))[0] == 0

    run(tmp_path, scenario)


def test_a_del_that_found_no_agent_is_done_when_there_is_one(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        assert (await made.plugin("ADD", config=IPAM))[0] == 0
        assert await made.stop_agent() == 0
        await made.client.delete(POD, "nginx", "default", grace_seconds=0)
        assert await made.plugin("DEL", config=IPAM, CNI_NETNS="/gone") == (0, None)
        assert len(list(made.intents.glob("*.intent"))) == 1
        await made.start_agent()
        async with asyncio.timeout(20):
            while list(made.intents.iterdir()):
                await asyncio.sleep(0.02)
        assert any("is settled" in line["message"] for line in made.log())
        status, answer = await made.plugin("CHECK", config=IPAM | {"prevResult": {}})
        assert (status, answer["code"]) == (1, 102)

    run(tmp_path, scenario)
