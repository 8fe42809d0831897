"""The plugin as kubelet executes it, a real agent, a real API, namespaces of their own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from agent_world import NODE_ADDRESS, SYSTEM_PLUGINS, World, world
from attached_pod import AttachedPod, attached_pod

from spiderpool.kube.resources import POD, SPIDERCOORDINATOR, SPIDERENDPOINT
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_route_line, as_rule_line
from spiderpool.netlink.namespace import Namespace
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
        assert [(line["namespace"], line["pod"], line["container"]) for line in lines] == [
            ("default", "nginx", "c0ffee")
        ]

    run(tmp_path, scenario)


def test_errors_reach_the_runtime(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        none_left = {"ipam": {"type": "spiderpool", "default_ipv4_ippool": ["other"]}}
        status, answer = await made.plugin("ADD", config=none_left)
        assert status == 1
        assert "other" in answer["msg"]
        status, answer = await made.plugin("ADD", config=IPAM, CNI_NETNS="/gone")
        assert (status, answer["code"]) == (1, 3)
        not_a_namespace = str(tmp_path / "agent.log")
        status, answer = await made.plugin("ADD", config=IPAM, CNI_NETNS=not_a_namespace)
        assert (status, answer["code"]) == (1, 4)
        assert await made.plugin("DEL", config=IPAM, CNI_NETNS=not_a_namespace) == (0, None)

    run(tmp_path, scenario)


def test_the_nodes_own_namespace_is_left_alone(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        node = f"/proc/{os.getpid()}/fd/{made.node.fd}"
        given = {"interfaces": [{"name": "net1", "sandbox": node}]}
        config = {"prevResult": given, **IPAM}
        for plugin in ("spiderpool", "coordinator"):
            for command in ("ADD", "CHECK"):
                status, answer = await made.plugin(command, plugin, config, CNI_NETNS=node)
                assert (status, answer["code"]) == (1, 4), plugin
                assert "CNI_NETNS" in answer["msg"]
                assert "is the node's own namespace" in answer["msg"]
            assert await made.plugin("DEL", plugin, config, CNI_NETNS=node) == (0, None)

    run(tmp_path, scenario)


def test_what_is_lost_with_an_agent_is_done_by_the_next(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        assert made.agent is not None
        made.agent.send_signal(signal.SIGSTOP)
        add = asyncio.create_task(made.plugin("ADD", config=IPAM))
        delete = asyncio.create_task(made.plugin("DEL", config=IPAM))
        await asyncio.sleep(0.2)
        assert not add.done()
        assert not delete.done()
        await made.stop_agent(signal.SIGKILL)
        assert await delete == (0, None)
        assert len(list(made.intents.glob("*.intent"))) == 1
        assert not add.done()
        await made.start_agent()
        status, result = await add
        assert status == 0, result
        assert await made.plugin("ADD", config=IPAM) == (0, result)

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
            while not any("is settled" in line["message"] for line in made.log()):
                await asyncio.sleep(0.02)
        assert list(made.intents.iterdir()) == []
        status, answer = await made.plugin("CHECK", config=IPAM | {"prevResult": {}})
        assert (status, answer["code"]) == (1, 102)

    run(tmp_path, scenario)


def run_wired(folder: Path, scenario: Callable[[World, AttachedPod], Awaitable[None]]) -> None:
    """Like :func:`run`, on a node with ens192 and a pod with Calico's eth0."""

    async def main() -> None:
        with attached_pod(folder / "unused") as wired:
            wired.calico()
            async with world(folder, wired.node, wired.pod) as made:
                await made.start_agent()
                await scenario(made, wired)

    asyncio.run(main())


def rules(namespace: Namespace) -> set[str]:
    return {as_rule_line(rule) for rule in dump(namespace).rules}


def table(namespace: Namespace, number: int) -> set[str]:
    return {as_route_line(one) for one in dump(namespace).routes if one.table == number}


@pytest.mark.skipif(
    not (SYSTEM_PLUGINS / "macvlan").exists(), reason=f"no macvlan plugin in {SYSTEM_PLUGINS}"
)
@pytest.mark.parametrize("version", ["0.3.1", "0.4.0", "1.0.0"])
def test_the_pages_chain_with_the_real_macvlan_plugin(tmp_path: Path, version: str) -> None:
    async def scenario(made: World, wired: AttachedPod) -> None:
        before_pod, before_node = rules(wired.pod), rules(wired.node)
        config = {"cniVersion": version}
        master = {"master": "ens192", "mode": "bridge"}
        status, result = await made.plugin("ADD", "macvlan", config | master | IPAM)
        assert status == 0, result
        assert result["ips"][0]["address"] == "10.6.212.101/16"
        chained = config | {"prevResult": result}
        status, answer = await made.plugin("ADD", "coordinator", chained)
        assert status == 0, answer
        assert answer["ips"] == result["ips"]
        assert "32760:\tfrom 10.6.212.101 lookup 100" in rules(wired.pod)
        assert table(wired.pod, 100) >= {
            "default via 10.6.0.1 dev net1",
            "10.233.0.0/18 via 10.6.212.132 dev eth0",
            "10.233.64.0/18 via 10.6.212.132 dev eth0",
        }
        assert any("10.6.212.101" in line for line in table(wired.node, 500))
        assert await made.plugin("DEL", "coordinator", chained) == (0, None)
        assert await made.plugin("DEL", "macvlan", config | master | IPAM) == (0, None)
        assert table(wired.node, 500) == set()
        assert (rules(wired.pod), rules(wired.node)) == (before_pod, before_node)

    run_wired(tmp_path, scenario)


def test_a_coordinators_del_is_done_later_without_the_pods_namespace(tmp_path: Path) -> None:
    async def scenario(made: World, wired: AttachedPod) -> None:
        wired.macvlan("net1", 145)
        interfaces = [{"name": "net1", "sandbox": "/run/x"}]
        ips = [{"address": "10.6.212.145/16", "gateway": "10.6.0.1", "interface": 0}]
        chained = {"prevResult": {"interfaces": interfaces, "ips": ips}}
        status, answer = await made.plugin("ADD", "coordinator", chained)
        assert status == 0, answer
        assert table(wired.node, 500)
        assert await made.stop_agent() == 0
        assert await made.plugin("DEL", "coordinator", chained, CNI_NETNS="/gone") == (0, None)
        assert table(wired.node, 500)
        await made.start_agent()
        async with asyncio.timeout(20):
            while table(wired.node, 500):
                await asyncio.sleep(0.02)

    run_wired(tmp_path, scenario)


def test_a_cluster_that_is_not_ready_refuses_pods_with_its_reason(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        status = {"status": {"phase": "NotReady", "reason": "no kubeadm-config"}}
        await made.client.patch(SPIDERCOORDINATOR, "default", status, subresource="status")
        words = "SpiderCoordinator default is NotReady: no kubeadm-config"
        async with asyncio.timeout(20):
            while (answer := await made.plugin("STATUS", "coordinator"))[0] == 0:
                await asyncio.sleep(0.02)
        assert (answer[1]["code"], answer[1]["msg"]) == (50, words)
        answer = await made.plugin("ADD", "coordinator", {"prevResult": {}})
        assert (answer[0], answer[1]["code"], answer[1]["msg"]) == (1, 11, words)

    run(tmp_path, scenario)
