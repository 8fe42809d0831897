"""What it costs to execute the CNI plugin, next to /bin/true and to a plain Python script.

    python -m benchmarks.cni [--json] [--rounds N] [--native FILE]

FILE is the static executable, by default what ci/build-cni wrote for this machine.
The plugins and the script talk to the agent's own server, whose handler answers at once, so
what is measured is the price of the process and of the socket. Ways take turns within each
round, so that a busy machine harms all of them alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving import agent, call
from spiderpool.agent.server import Plugin
from spiderpool.agent.wire import RawRequest
from spiderpool.cni.install import install
from spiderpool.cni.request import CniRequest
from spiderpool.netlink.namespace import Namespace

ROOT = Path(__file__).parents[1]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FLOOR = "/bin/true"
RESULT = {"cniVersion": "1.0.0", "ips": [{"address": "10.6.212.145/16", "gateway": "10.6.0.1"}]}
NETCONF = {"cniVersion": "1.0.0", "name": "macvlan-ens192", "ipam": {"type": "spiderpool"}}
ENV = {
    "CNI_COMMAND": "ADD",
    "CNI_CONTAINERID": "c0ffee",
    "CNI_NETNS": "/proc/self/ns/net",
    "CNI_IFNAME": "net1",
    "CNI_ARGS": "K8S_POD_NAMESPACE=default;K8S_POD_NAME=nginx;K8S_POD_UID=u1",
    "CNI_PATH": "/opt/cni/bin",
}

PLAIN_SCRIPT = """
import json, os, socket, struct, sys
stdin = json.dumps(json.load(sys.stdin)).encode()
fields = {k: v for k, v in os.environ.items() if k.startswith("CNI_")}
fields["SPIDERPOOL_PLUGIN"] = "spiderpool"
env = b"".join(f"{k}={v}\\0".encode() for k, v in fields.items())
request = struct.pack(">4sIII", b"SPCN", 1, len(env), len(stdin)) + env + stdin
fds = [os.open(p, os.O_RDONLY) for p in ("/proc/self/ns/net", os.environ["CNI_NETNS"])]
with socket.socket(socket.AF_UNIX) as s:
    s.connect(os.environ["SPIDERPOOL_SOCKET"])
    socket.send_fds(s, [request], fds)
    data = b""
    while len(data) < 12 or len(data) < 12 + int.from_bytes(data[8:12], "big"):
        data += s.recv(65536)
print(json.dumps(json.loads(data[12:])))
sys.exit(int.from_bytes(data[4:8], "big"))
"""


@dataclass(frozen=True)
class Row:
    """Milliseconds of one way: wall and CPU, median and least."""

    way: str
    wall: float
    wall_least: float
    cpu: float
    cpu_least: float


class Immediate:
    """A handler without work."""

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        return RESULT


def execute(argv: Sequence[str], env: Mapping[str, str], stdin: Path) -> tuple[float, float]:
    """Wall and CPU milliseconds of one process, which must succeed."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, str(stdin), os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    start = time.perf_counter()
    child = os.posix_spawn(argv[0], list(argv), dict(env), file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = (time.perf_counter() - start) * 1e3
    if status != 0:
        raise SystemExit(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return wall, (usage.ru_utime + usage.ru_stime) * 1e3


def measure_processes(folder: Path, rounds: int, native: Path) -> list[Row]:
    (folder / "bin").mkdir()
    install(folder / "bin")
    script, stdin = folder / "plain.py", folder / "stdin"
    script.write_text(PLAIN_SCRIPT)
    stdin.write_text(json.dumps(NETCONF))
    python = os.path.realpath(sys.executable)
    env = ENV | {"SPIDERPOOL_SOCKET": str(folder / "agent.sock")}
    plugin = str(folder / "bin" / "spiderpool")
    ways: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
        FLOOR: (["/bin/true"], {}),
        "python -ISE -c pass": ([python, "-ISE", "-c", "pass"], {}),
        "static, VERSION": ([str(native)], {"CNI_COMMAND": "VERSION"}),
        "static, ADD": ([str(native)], env),
        "script, VERSION": ([plugin], {"CNI_COMMAND": "VERSION"}),
        "script, ADD": ([plugin], env),
        "plain Python, ADD": ([python, str(script)], env),
    }
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (argv, environ) in ways.items():
            taken[way].append(execute(argv, environ, stdin))
    return [row(way, samples) for way, samples in taken.items()]


def row(way: str, samples: Sequence[tuple[float, float]]) -> Row:
    walls, cpus = [wall for wall, _ in samples], [cpu for _, cpu in samples]
    return Row(way, statistics.median(walls), min(walls), statistics.median(cpus), min(cpus))


def measure_server(path: Path, rounds: int) -> float:
    """Median milliseconds of one call on a connection of its own, without a process."""
    request = RawRequest(
        ENV | {"SPIDERPOOL_PLUGIN": "spiderpool"}, json.dumps(NETCONF).encode()
    ).encode()
    namespaces = [os.open("/proc/self/ns/net", os.O_RDONLY) for _ in range(2)]
    taken = [timed(lambda: call(path, request, namespaces)) for _ in range(rounds * 10)]
    for namespace in namespaces:
        os.close(namespace)
    return statistics.median(taken)


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def table(rows: Sequence[Row], server: float) -> str:
    floor = rows[0].wall
    lines = [f"{'':<22}{'wall ms':>9}{'least':>8}{'CPU ms':>9}{'least':>8}{'ratio':>8}"]
    lines += [
        f"{row.way:<22}{row.wall:>9.2f}{row.wall_least:>8.2f}{row.cpu:>9.2f}"
        f"{row.cpu_least:>8.2f}{row.wall / floor:>7.1f}x"
        for row in rows
    ]
    lines.append(f"{'server alone, one call':<22}{server:>9.2f}{'':>25}{server / floor:>7.1f}x")
    return "\n".join(lines)


def as_json(rows: Sequence[Row], server: float) -> str:
    floor = rows[0].wall
    numbers = [vars(row) | {"ratio": row.wall / floor} for row in rows]
    return json.dumps({"processes": numbers, "server_ms": server, "server_ratio": server / floor})


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print numbers as JSON")
    parser.add_argument("--rounds", type=int, default=40, help="executions of each way")
    built = ROOT / "dist" / "cni" / ARCHITECTURES[platform.machine()] / "spiderpool"
    parser.add_argument("--native", type=Path, default=built, help="the static executable")
    options = parser.parse_args()
    if not options.native.exists():
        raise SystemExit(f"{options.native} is not there; ci/build-cni builds it")
    plugins = {"spiderpool": Plugin(Immediate(), frozenset())}
    with tempfile.TemporaryDirectory() as name, agent(Path(name) / "agent.sock", plugins):
        rows = measure_processes(Path(name), options.rounds, options.native)
        server = measure_server(Path(name) / "agent.sock", options.rounds)
    print((as_json if options.json else table)(rows, server))


if __name__ == "__main__":
    main()
