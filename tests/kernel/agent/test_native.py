"""The static executable where there is nothing else, and with a real agent."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from agent_world import world
from thin_clients import NETCONF, native

from spiderpool.agent.wire import decode
from spiderpool.cni.install import install_executable
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.namespaces import new_namespace

pytestmark = pytest.mark.kernel


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system with the plugins, the mount point of /proc and nothing else."""
    folder = tmp_path / "root"
    (folder / "proc").mkdir(parents=True)
    install_executable(folder, native())
    return folder


def run_inside(root: Path, name: str, env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a program to which ``root`` and a /proc of its own are all there is."""
    unshare = shutil.which("unshare")
    assert unshare is not None
    own_proc = ["--mount", "--pid", "--fork", "--mount-proc=/proc"]
    return subprocess.run(
        [unshare, *own_proc, f"--root={root}", f"/{name}"],
        input=NETCONF,
        env=env,
        capture_output=True,
        timeout=30,
        check=False,
    )


def execute_inside(root: Path, name: str, **env: str) -> tuple[int, bytes]:
    """Exit status and stdout of a plugin."""
    done = run_inside(root, name, env)
    assert done.stderr == b""
    return done.returncode, done.stdout


def test_a_program_that_needs_a_libc_does_not_run_there(root: Path) -> None:
    """The control: the root is as empty as the other tests believe."""
    shutil.copy("/bin/true", root / "true")
    done = run_inside(root, "true", {})
    assert done.returncode != 0
    assert b"No such file or directory" in done.stderr


def test_versions_errors_and_notes_need_nothing_of_the_host(root: Path) -> None:
    status, stdout = execute_inside(root, "coordinator", CNI_COMMAND="VERSION")
    assert (status, json.loads(stdout)["cniVersion"]) == (0, "1.1.0")
    at_once = {"SPIDERPOOL_BUDGET_MS": "0"}
    status, stdout = execute_inside(root, "spiderpool", CNI_COMMAND="ADD", **at_once)
    assert (status, json.loads(stdout)["code"]) == (1, 11)
    assert execute_inside(root, "ifacer", CNI_COMMAND="DEL", **at_once) == (0, b"")
    (note,) = (root / "var/lib/spidernet/intents").iterdir()
    request = decode(note.read_bytes())
    assert request.env == {"CNI_COMMAND": "DEL", "SPIDERPOOL_PLUGIN": "ifacer"}
    assert request.stdin == NETCONF


def test_an_agent_is_reached_from_there(root: Path, netns: Namespace) -> None:
    async def main() -> tuple[int, bytes]:
        with new_namespace() as pod:
            async with world(root, netns, pod) as node:
                await node.start_agent()
                return await asyncio.to_thread(
                    execute_inside,
                    root,
                    "spiderpool",
                    CNI_COMMAND="STATUS",
                    SPIDERPOOL_SOCKET="/agent.sock",
                )

    status, stdout = asyncio.run(main())
    answer = json.loads(stdout)
    assert (status, answer["code"]) == (1, 1), "only the agent knows that 0.4.0 has no STATUS"
    assert answer["msg"] == "cniVersion 0.4.0 has no STATUS; use 1.1.0 or later"


def test_a_pod_gets_and_gives_back_an_address(tmp_path: Path, netns: Namespace) -> None:
    async def main() -> None:
        with new_namespace() as pod:
            async with world(tmp_path, netns, pod) as node:
                install_executable(tmp_path / "bin", native())
                await node.start_agent()
                ipam = {"ipam": {"type": "spiderpool", "default_ipv4_ippool": ["10-6-v4"]}}
                status, result = await node.plugin("ADD", config=ipam)
                assert (status, result["ips"][0]["address"]) == (0, "10.6.212.101/16"), result
                assert await node.plugin("DEL", config=ipam) == (0, None)
                status, result = await node.plugin("ADD", config=ipam)
                assert status == 0

    asyncio.run(main())
