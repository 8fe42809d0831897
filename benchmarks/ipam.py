"""What addresses cost: ADDs through the agent's socket against a Kubernetes API over HTTP.

    python -m benchmarks.ipam [--json] [--pods N] [--real] [CASE ...]

Every case has an API server, its agents and its pods for itself. ``writes`` are requests to
the API that change something, refused ones too, the SpiderEndpoint's included, per ADD.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.ipam_cluster import BenchCluster, Call, cluster, netconf
from spiderpool.kube.resources import POD

SLASH_16 = {"subnet": "10.6.0.0/16", "ips": ["10.6.0.2-10.6.255.254"], "gateway": "10.6.0.1"}
SLASH_24 = {"subnet": "10.6.0.0/24", "ips": ["10.6.0.2-10.6.0.254"], "gateway": "10.6.0.1"}
SLASH_64 = {"subnet": "fd00::/64", "ips": ["fd00::2-fd00::ffff:ffff:ffff:ffff"]}


@dataclass(frozen=True)
class Case:
    """Pods that ask at the same time, ``concurrency`` over all agents together."""

    name: str
    concurrency: int = 16
    agents: int = 1
    pool: str = "/16"
    taken: int = 0
    most_pods: int = 1000


POOLS = {"/16": (SLASH_16, 4), "/24": (SLASH_24, 4), "v6 /64": (SLASH_64, 6)}
CASES = (
    *(Case(f"1 agent, {c} at once", c) for c in (1, 16, 64)),
    *(Case(f"8 agents, {c} at once", c, agents=8) for c in (1, 16, 64, 128)),
    *(Case(f"pool {pool}", pool=pool, most_pods=240) for pool in POOLS),
    *(Case(f"{taken} taken", taken=taken, most_pods=240) for taken in (0, 1000, 5000, 20000)),
)


@dataclass(frozen=True)
class Row:
    """One case: rates per second, milliseconds, requests and agent CPU milliseconds per call."""

    case: str
    pods: int
    failed: int
    duplicates: int
    adds_per_second: float
    p50: float
    p99: float
    writes: float
    reads: float
    cpu: float
    dels_per_second: float
    del_requests: float
    rss: float


async def measure(case: Case, pods: int, *, real: bool) -> Row:
    spec, version = POOLS[case.pool]
    stdin = netconf("bench", version=version)
    with tempfile.TemporaryDirectory() as name:
        async with cluster(Path(name), case.agents, spec, case.taken, real=real) as bench:
            made = await bench.create_pods(min(pods, case.most_pods))
            await asyncio.sleep(0.5)
            before = await _counts(bench)
            adds, seconds = await _all(bench, case.concurrency, "ADD", made, stdin)
            between = await _counts(bench)
            await _delete_pods(bench, made)
            dels, del_seconds = await _all(bench, case.concurrency, "DEL", made, stdin)
            after = await _counts(bench)
    given = [ip["address"] for call in adds for ip in call.answer.get("ips", ())]
    spent = {key: between[key] - before[key] for key in before}
    times = sorted(call.milliseconds for call in adds)
    return Row(
        case=case.name,
        pods=len(made),
        failed=sum(call.failed for call in (*adds, *dels)),
        duplicates=len(given) - len(set(given)),
        adds_per_second=len(made) / seconds,
        p50=statistics.median(times),
        p99=times[int(len(times) * 0.99)],
        writes=spent["writes"] / len(made),
        reads=spent["reads"] / len(made),
        cpu=spent["cpu"] / len(made) * 1e3,
        dels_per_second=len(made) / del_seconds,
        del_requests=(after["writes"] + after["reads"] - between["writes"] - between["reads"])
        / len(made),
        rss=after["rss"] / case.agents,
    )


async def _counts(bench: BenchCluster) -> dict[str, float]:
    """The sum of what the agents counted."""
    told = [await agent.counts() for agent in bench.agents]
    return {key: sum(one[key] for one in told) for key in told[0]}


async def _delete_pods(bench: BenchCluster, pods: Sequence[tuple[str, str, int]]) -> None:
    """As kubelet sees it at a DEL: the pods are being deleted."""
    for name, _, _ in pods:
        await bench.client.delete(POD, name, "default")
    await asyncio.sleep(0.5)


async def _all(
    bench: BenchCluster,
    concurrency: int,
    command: str,
    pods: Sequence[tuple[str, str, int]],
    stdin: bytes,
) -> tuple[list[Call], float]:
    """Every pod's call, ``concurrency`` of them at a time, and the seconds it took."""
    waiting, calls = iter(pods), []

    async def worker() -> None:
        for name, uid, at in waiting:
            calls.append(await bench.agents[at].call(command, name, uid, stdin))

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return calls, time.perf_counter() - started


def table(rows: Sequence[Row]) -> str:
    head = f"{'case':<24}{'pods':>6}{'ADD/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'writes':>8}"
    head += f"{'reads':>7}{'CPU ms':>8}{'DEL/s':>8}{'DEL req':>9}{'RSS MB':>8}"
    lines = [head]
    for row in rows:
        lines.append(
            f"{row.case:<24}{row.pods:>6}{row.adds_per_second:>8.0f}{row.p50:>8.1f}"
            f"{row.p99:>8.1f}{row.writes:>8.2f}{row.reads:>7.2f}{row.cpu:>8.2f}"
            f"{row.dels_per_second:>8.0f}{row.del_requests:>9.2f}{row.rss:>8.0f}"
        )
    bad = [row for row in rows if row.failed or row.duplicates]
    lines += [f"{row.case}: {row.failed} failed, {row.duplicates} duplicates" for row in bad]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print numbers as JSON")
    parser.add_argument("--pods", type=int, default=1000, help="pods of a case, at most")
    parser.add_argument(
        "--real", action="store_true", help="the kube-apiserver of $KUBEBUILDER_ASSETS instead"
    )
    parser.add_argument("cases", nargs="*", help="only cases whose name contains one of these")
    given = parser.parse_args()
    chosen = [c for c in CASES if not given.cases or any(word in c.name for word in given.cases)]
    rows = [asyncio.run(measure(case, given.pods, real=given.real)) for case in chosen]
    print(json.dumps([asdict(row) for row in rows]) if given.json else table(rows))
    if any(row.failed or row.duplicates for row in rows):
        raise SystemExit("an ADD or DEL failed, or an address was given twice")


if __name__ == "__main__":
    main()
