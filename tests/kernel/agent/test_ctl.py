"""``spiderpoolctl`` beside a real agent and a real API: what it sees of them."""

from __future__ import annotations

import asyncio
import json
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from agent_world import World, world

from spiderpool.ctl.main import main
from spiderpool.kube.resources import CONFIGMAP
from spiderpool.testing.namespaces import new_namespace

pytestmark = pytest.mark.kernel

KUBEADM = {
    "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
    "data": {
        "ClusterConfiguration": "networking:\n"
        "  podSubnet: 10.233.64.0/18\n  serviceSubnet: 10.233.0.0/18\n"
    },
}
NODE_PATHS = {
    "var/run/spidernet/spiderpool.sock": "/agent.sock",
    "var/lib/spidernet": "/state",
    "opt/cni/bin": "/bin",
}
"""Of a node -> where the agent of these tests has them."""
IPAM = {"ipam": {"type": "spiderpool", "default_ipv4_ippool": ["10-6-v4"]}}

Scenario = Callable[[World], Awaitable[None]]


def run(folder: Path, scenario: Scenario) -> None:
    async def scene() -> None:
        with new_namespace() as node, new_namespace() as pod:
            async with world(folder, node, pod) as made:
                (folder / "state").mkdir()  # kubelet makes it (hostPath)
                await made.client.create(CONFIGMAP, KUBEADM)
                for name, target in NODE_PATHS.items():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).symlink_to(target)
                await made.start_agent()
                await scenario(made)

    asyncio.run(scene())


async def ctl(made: World, command: str, *words: str) -> int:
    """Its exit status, from a thread, since it has an event loop of its own."""
    given = [command, f"--kubeconfig={made.folder}/kubeconfig", *words]
    return await asyncio.to_thread(main, given)


async def doctor(made: World, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    await ctl(made, "doctor", f"--root={made.folder}", "--node=worker01", "--json")
    answer = json.loads(capsys.readouterr().out)
    return {finding["where"]: finding for finding in answer["findings"]}


def test_the_doctor_hears_the_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(made: World) -> None:
        found = await doctor(made, capsys)
        agent = "agent at /var/run/spidernet/spiderpool.sock"
        for plugin in ("spiderpool", "coordinator"):
            assert found[f"{agent}, {plugin}"]["level"] == "ok"
        assert found["/var/lib/spidernet"]["level"] == "ok"
        assert "is not static" in found["/opt/cni/bin/coordinator"]["text"], "it is the script"
        assert found["CIDR discovery"]["text"] == "pods 10.233.64.0/18, services 10.233.0.0/18"
        assert found["networks"]["level"] == "ok"

        await made.stop_agent()
        found = await doctor(made, capsys)
        assert found[agent]["text"] == "does not answer: Connection refused"
        assert await made.plugin("DEL", config=IPAM) == (0, None)
        found = await doctor(made, capsys)
        assert found["DELs"]["text"] == "1 wait for the agent or the API server"

    run(tmp_path, scenario)


def test_a_dump_holds_what_the_agent_made(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        assert (await made.plugin("ADD", config=IPAM))[0] == 0
        output = made.folder / "dump.tar.gz"
        assert await ctl(made, "sysdump", f"--output={output}", f"--root={made.folder}") == 0
        with tarfile.open(output) as tar:
            names = tar.getnames()
            blocks = tar.extractfile(
                "spiderpool-sysdump/objects/spideripblocks.spiderpool.spidernet.io.json"
            )
            assert blocks is not None
            assert "default/nginx" in blocks.read().decode()
        assert "spiderpool-sysdump/node/doctor.json" in names
        assert "spiderpool-sysdump/status.json" in names

    run(tmp_path, scenario)
