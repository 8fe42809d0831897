"""The acceptance page from start to end, and its cluster, next to the promised limits.

    python -m benchmarks.quickstart [--json] [--rounds N]

``page`` is a whole run, processes and verdicts included; of it, ``nodes ready`` is the cluster
before the first pod. ``cluster`` is the same cluster until four pods of the default CNI run:
API server, controllers and kubelets included. ``network`` is what of it is links, addresses,
routes and nftables rules, and ``ip -batch`` builds the same without the rules.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections import defaultdict
from pathlib import Path

from benchmarks import fabric
from harness.netns import sandbox
from harness.nodes.sandboxes import StopServing
from harness.run.emulated import EmulatedCluster
from harness.run.events import Ended, Judged, Result, Step
from harness.run.launch import run
from harness.topology.load import load
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import POD
from spiderpool.netlink.namespace import Namespace

SCENARIO = Path(__file__).parents[1] / "scenarios/quickstart"
PODS = 4
PAGE, NODES_READY, CLUSTER = "page", "nodes ready", "cluster"
NETWORK, BY_IP = "network", "ip -batch"
PROMISED_MS = {PAGE: 10_000, CLUSTER: 1_000}


def page(scenario: Path) -> tuple[float, float]:
    """Milliseconds of a run, and of its cluster until nodes are ready.

    Raises:
        SystemExit: it did not pass as a whole.
    """
    start = time.perf_counter()
    events = list(run(scenario))
    wall = (time.perf_counter() - start) * 1e3
    ended = events[-1]
    assert isinstance(ended, Ended)
    judged = [event for event in events if isinstance(event, Judged)]
    problems = [ended.problem, ended.cannot]
    problems += [event.problem for event in events if isinstance(event, Step)]
    problems += [event.sentence for event in judged if event.result is not Result.PASSED]
    if not judged or any(problems):
        raise SystemExit(f"{scenario}: {'; '.join(filter(None, problems)) or 'judged nothing'}")
    return wall, ended.timings["cluster up"] * 1e3


def cluster() -> float:
    """Milliseconds until ``PODS`` pods run; must be called in a sandbox."""
    return asyncio.run(_cluster())


async def _cluster() -> float:
    async def serve(pod: Object, namespace: Namespace) -> StopServing:
        return lambda: None

    started = time.perf_counter()
    made = EmulatedCluster(load(fabric.PAGE), sandbox.RUN)
    try:
        await made.start(serve)
        before = await made.client.list(POD, "default")
        for number in range(PODS):
            spec = {"containers": [{"name": "c", "image": "x"}]}
            metadata = {"name": f"pod-{number}", "namespace": "default"}
            await made.client.create(POD, {"metadata": metadata, "spec": spec})
        async with asyncio.timeout(30):
            await _until_all_run(made.client, before["metadata"]["resourceVersion"])
        return (time.perf_counter() - started) * 1e3
    finally:
        await made.stop()


async def _until_all_run(client: Client, version: str) -> None:
    running: set[str] = set()
    async for event in client.watch(POD, "default", resource_version=version):
        pod = event["object"]
        if pod.get("status", {}).get("phase") == "Running":
            running.add(pod["metadata"]["name"])
        if len(running) == PODS:
            return


def measure(scenario: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each part in each round; of the last two, the medians alone."""
    taken = defaultdict[str, list[float]](list)
    for _ in range(rounds):
        wall, ready = page(scenario)
        taken[PAGE].append(wall)
        taken[NODES_READY].append(ready)
        taken[CLUSTER].append(fabric.calm(cluster))
    built = fabric.measure(rounds)
    return taken | {NETWORK: [built[fabric.CLUSTER]], BY_IP: [built[fabric.IP]]}


def table(median: dict[str, float], least: dict[str, float], ratios: dict[str, float]) -> str:
    lines = [f"{'':<12}{'ms':>8}{'least':>8}{'to ip -batch':>14}{'promised':>10}"]
    for part, value in median.items():
        line = f"{part:<12}{value:>8.0f}{least[part]:>8.0f}{ratios[part]:>12.1f} x"
        if (limit := PROMISED_MS.get(part)) is not None:
            line += f"{limit:>10}  {'kept' if value < limit else 'BROKEN'}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print numbers as JSON")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many")
    parser.add_argument("--scenario", type=Path, default=SCENARIO, help="run another one")
    options = parser.parse_args()
    load_before = os.getloadavg()[0]
    taken = measure(options.scenario, options.rounds)
    median = {part: statistics.median(values) for part, values in taken.items()}
    least = {part: min(values) for part, values in taken.items()}
    ratios = {part: value / median[BY_IP] for part, value in median.items()}
    if options.json:
        numbers = {"ms": median, "least_ms": least, "ratio": ratios, "promised_ms": PROMISED_MS}
        print(json.dumps(numbers | {"load_before": load_before, "cores": os.cpu_count()}))
        return
    print(table(median, least, ratios))
    print(f"the machine's load before: {load_before:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
