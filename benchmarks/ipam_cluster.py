"""An API server, agents in processes of their own, and calls through their sockets."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.kubeapi.launch import embedded_server, real_server
from harness.kubeapi.real import assets_folder
from spiderpool.agent.main import run
from spiderpool.agent.options import parse
from spiderpool.agent.wire import RawRequest
from spiderpool.errors import NotFound
from spiderpool.ipam.allocation import Claim, Desk
from spiderpool.ipam.blocks import Change, by_block, new_object
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.pools import read_pool
from spiderpool.kube.api import Client
from spiderpool.kube.client import connect
from spiderpool.kube.resources import (
    CRD,
    NODE,
    POD,
    SPIDERENDPOINT,
    SPIDERIPBLOCK,
    SPIDERIPPOOL,
    Resource,
)
from spiderpool.netlink.namespace import Namespace
from spiderpool.testing.kubefaults import FaultyClient
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import IfName, NodeName, PodUID

CRDS = Path(__file__).parent.parent / "crds"
READS, WRITES = ("get",), ("create", "update", "patch", "delete")


@dataclass(frozen=True)
class Call:
    """One answer, the wall milliseconds that it took, and whether it was an error."""

    milliseconds: float
    answer: dict[str, Any]
    failed: bool


def netconf(*pools: str, version: int = 4) -> bytes:
    ipam = {"type": "spiderpool", f"default_ipv{version}_ippool": list(pools)}
    return json.dumps({"cniVersion": "1.1.0", "name": "bench", "ipam": ipam}).encode()


@dataclass
class AgentProcess:
    """An agent whose client counts what it asks of the API."""

    process: asyncio.subprocess.Process
    path: Path

    async def call(self, command: str, pod: str, uid: str, stdin: bytes) -> Call:
        args = f"K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod};K8S_POD_UID={uid}"
        env = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": f"c-{pod}",
            "CNI_NETNS": "/proc/self/ns/net",
            "CNI_IFNAME": "net1",
            "CNI_ARGS": args,
            "SPIDERPOOL_PLUGIN": "spiderpool",
        }
        request = RawRequest(env, stdin).encode()
        loop, started = asyncio.get_running_loop(), time.perf_counter()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.setblocking(False)
            await loop.sock_connect(connection, str(self.path))
            socket.send_fds(connection, [request], [each.fd for each in namespaces()])
            data = b""
            while chunk := await loop.sock_recv(connection, 65536):
                data += chunk
        spent = (time.perf_counter() - started) * 1e3
        body = json.loads(data[12:]) if len(data) > 12 else {}
        return Call(spent, body, data[4:8] != bytes(4))

    async def counts(self) -> dict[str, float]:
        """What it has counted so far."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(b"\n")
        return dict(json.loads(await self.process.stdout.readline()))


@functools.cache
def namespaces() -> tuple[Namespace, Namespace]:
    """The node's and a pod's, for all calls."""
    return Namespace.current(), new_namespace()


@dataclass
class BenchCluster:
    """What a case works with."""

    client: Client
    agents: list[AgentProcess]

    async def create_pods(self, count: int) -> list[tuple[str, str, int]]:
        """(name, UID, agent) of new pods, spread over the agents."""
        found = []
        for number in range(count):
            at = number % len(self.agents)
            obj: dict[str, Any] = {"metadata": {"name": f"p{number}", "namespace": "default"}}
            obj["spec"] = {"nodeName": f"node{at}", "containers": [{"name": "c", "image": "x"}]}
            made = await self.client.create(POD, obj)
            found.append((f"p{number}", made["metadata"]["uid"], at))
        return found


@asynccontextmanager
async def cluster(
    folder: Path, agents: int, pool: dict[str, Any], taken: int, *, real: bool
) -> AsyncIterator[BenchCluster]:
    """An API with one pool, of which ``taken`` addresses are held by others, and agents."""
    with _api(folder, real=real) as config:
        access = str(config)
        client = connect(access)
        await _install(client)
        await _ensure(client, SPIDERIPPOOL, {"metadata": {"name": "bench"}, "spec": pool})
        for block in _filled(pool, taken):
            await client.create(SPIDERIPBLOCK, block)
        started = [await _start_agent(folder, number, access) for number in range(agents)]
        try:
            yield BenchCluster(client, started)
        finally:
            for agent in started:
                if agent.process.returncode is None:
                    agent.process.kill()
                    await agent.process.communicate()
            await client.close()


def _api(folder: Path, *, real: bool) -> AbstractContextManager[Path]:
    """A server of the case's own, and the kubeconfig for it."""
    if not real:
        return embedded_server(folder)
    assets = assets_folder()
    if assets is None:
        raise SystemExit("no kube-apiserver: export KUBEBUILDER_ASSETS=$(ci/kube-assets)")
    return real_server(folder, assets)


async def _install(client: Client) -> None:
    for path in sorted(CRDS.glob("*.yaml")):
        await _ensure(client, CRD, yaml.safe_load(path.read_text()))
    for number in range(8):
        await _ensure(client, NODE, {"metadata": {"name": f"node{number}"}})
    for kind in (SPIDERIPPOOL, SPIDERIPBLOCK, SPIDERENDPOINT):
        while not await _is_served(client, kind):  # noqa: ASYNC110 - the API sets no event
            await asyncio.sleep(0.05)


async def _is_served(client: Client, kind: Resource) -> bool:
    try:
        await client.list(kind)
    except NotFound:
        return False
    return True


async def _ensure(client: Client, kind: Resource, obj: dict[str, Any]) -> None:
    await client.create(kind, {"apiVersion": kind.api_version, "kind": kind.kind, **obj})


def _filled(spec: dict[str, Any], taken: int) -> Sequence[dict[str, Any]]:
    """Blocks in which the lowest ``taken`` addresses of the pool are held."""
    pool = read_pool({"metadata": {"name": "bench"}, "spec": spec})
    claims = [
        Claim(
            Slot(
                state=SlotState.HELD,
                pod=f"other/taken-{number}",
                pod_uid=PodUID(f"taken-{number:032d}"),
                nic=IfName("net1"),
                node=NodeName("node7"),
            )
        )
        for number in range(taken)
    ]
    verdicts = Desk(Ledger(), pool.name, pool.listed, time.time()).decide(claims)
    changes = (verdict for verdict in verdicts if isinstance(verdict, Change))
    return [new_object(key, group) for key, group in by_block(changes).items()]


async def _start_agent(folder: Path, number: int, kubeconfig: str) -> AgentProcess:
    path = folder / f"agent{number}.sock"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.ipam_cluster",
        str(path),
        f"node{number}",
        kubeconfig,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    agent = AgentProcess(process, path)
    for _ in range(1000):
        if path.exists() and not (await agent.call("STATUS", "x", "", netconf("bench"))).failed:
            return agent
        await asyncio.sleep(0.02)
    raise SystemExit(f"agent {number} does not become ready")


async def _serve(path: str, node: str, kubeconfig: str) -> None:
    """The agent's own main loop with a counting client; prints its counts when asked."""
    client = FaultyClient(connect(kubeconfig))
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, _print_counts, client)
    options = parse(
        ["--socket", path, "--node", node, "--state-dir", str(Path(path).with_suffix(".d"))]
    )
    await run(options, client)


def _print_counts(client: FaultyClient) -> None:
    if not sys.stdin.readline():
        os._exit(0)
    verbs = Counter(request.verb for request in client.requests)
    used = resource.getrusage(resource.RUSAGE_SELF)
    numbers = {
        "reads": sum(verbs[verb] for verb in READS),
        "writes": sum(verbs[verb] for verb in WRITES),
        "cpu": used.ru_utime + used.ru_stime,
        "rss": used.ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(numbers) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:4]))
