"""The page's cluster with four pods: built by us, and by ``ip -batch``, in one run.

    python -m benchmarks.fabric [--json] [--rounds N]

Both carry out the same operations; the floor is as many empty namespaces. ``cluster`` is ours
with Calico's and kube-proxy's nftables rules too: all that is there before the first request
to the API. Every round is a sandbox of its own, and what was built is compared.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from harness.netns import isolated, nft
from harness.netns.ledger import Ledger
from harness.netns.proxyarp import answer_at_once
from harness.nodes.calico import nat_outgoing
from harness.nodes.servicetable import Ranges, skeleton
from harness.topology import calico
from harness.topology.calico import Wire
from harness.topology.compile import Step, compile_topology, settings
from harness.topology.load import load
from harness.topology.model import Topology
from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import as_route_line
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.operations import CreateLink, Operation, SetSysctl
from spiderpool.netlink.text import as_command
from spiderpool.types.address import Address, Family, from_int, to_int

PAGE = Path(__file__).parents[1] / "scenarios/_topologies/page.yaml"
PODS_A_NODE = 2
PROMISED_MS = 1000
PAUSE_SECONDS = 0.3
"""The kernel takes the last namespaces down meanwhile, and makes no new ones."""
FLOOR, OURS, CLUSTER, IP = "empty namespaces", "ours", "cluster", "ip -batch"

T = TypeVar("T")
Built = Mapping[str, tuple[frozenset[str], frozenset[str]]]
"""Addresses and routes of each namespace."""


class Plan:
    """What to build: names of namespaces, operations in order, wires by the node's name."""

    def __init__(self, topology: Topology, pods_a_node: int = PODS_A_NODE) -> None:
        self.topology = topology
        self.wires: dict[str, list[tuple[str, Wire]]] = {
            node.name: [
                (f"{node.name}-{number}", self._wire(node.name, number, Address(node.blocks[0])))
                for number in range(pods_a_node)
            ]
            for node in topology.nodes
        }
        pods = [pod for wires in self.wires.values() for pod, _ in wires]
        self.namespaces = (*topology.namespaces, *pods)

    def _wire(self, node: str, number: int, block: Address) -> Wire:
        address = from_int(to_int(block) + 1 + number, Family.V4)
        name = f"{node}-{number}"
        return calico.wire("default", name, (address,), self.topology.pod_mtu, 100 + number)

    def steps(self, descriptors: Mapping[str, int]) -> Iterator[Step]:
        yield from compile_topology(self.topology, descriptors)
        for node, wires in self.wires.items():
            for pod, _ in wires:
                yield Step(pod, settings(forwards=False))
            on_host = (calico.on_host(wire, descriptors[pod]) for pod, wire in wires)
            yield Step(node, tuple(itertools.chain.from_iterable(on_host)))
            for pod, wire in wires:
                yield Step(pod, tuple(calico.in_pod(wire)))


def build_ours(plan: Plan, ledger: Ledger) -> None:
    descriptors = {name: ledger.create(name).fd for name in plan.namespaces}
    for step in plan.steps(descriptors):
        apply(ledger[step.namespace], step.operations)
    for node, wires in plan.wires.items():
        for _, wire in wires:
            answer_at_once(ledger[node], wire.host_link, wire.index)


async def load_rules(plan: Plan, ledger: Ledger) -> None:
    cidrs = plan.topology.pod_cidrs, plan.topology.service_cidrs
    script = nat_outgoing(cidrs[0]) + skeleton(Ranges.of(Family.V4, *cidrs))
    await asyncio.gather(*(nft.load(ledger[node.name], script) for node in plan.topology.nodes))


def build_by_ip(plan: Plan) -> None:
    """One ``ip`` and one ``sysctl`` for each namespace and step, as few as the order allows."""
    if absent := [program for program in ("ip", "sysctl") if shutil.which(program) is None]:
        raise SystemExit(f"fabric: needs {' and '.join(absent)}; ci/test installs all it needs")
    batch((), (f"netns add {name}" for name in plan.namespaces))
    names = dict(enumerate(plan.namespaces))
    for step in plan.steps({name: number for number, name in names.items()}):
        settings = [
            f"net/{one.key}={one.value}" for one in step.operations if isinstance(one, SetSysctl)
        ]
        lines = [line for one in step.operations for line in as_ip_lines(one, names)]
        batch(("-n", step.namespace), lines)
        if settings:
            inside = ["ip", "netns", "exec", step.namespace]
            subprocess.run([*inside, "sysctl", "-q", "-w", *settings], check=True)
    for node, wires in plan.wires.items():
        change = "ntable change name arp_cache dev {} proxy_delay 0"
        batch(("-n", node), (change.format(wire.host_link) for _, wire in wires))


def batch(options: tuple[str, ...], lines: Iterator[str] | list[str]) -> None:
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(lines), text=True, check=True)


def as_ip_lines(operation: Operation, names: Mapping[int, str]) -> Iterator[str]:
    """``ip`` cannot be given descriptors, nor a master at creation."""
    if isinstance(operation, SetSysctl):
        return
    peer = operation.peer if isinstance(operation, CreateLink) else None
    if not isinstance(operation, CreateLink) or peer is None or peer.namespace is None:
        yield as_command(operation).removeprefix("ip ")
        return
    mac = f"address {operation.mac} " if operation.mac else ""
    yield (
        f"link add {operation.name} index {operation.index} {mac}mtu {operation.mtu} type veth "
        f"peer name {peer.name} address {peer.mac} mtu {peer.mtu} netns {names[peer.namespace]}"
    )
    master = f"master {operation.master} " if operation.master else ""
    yield f"link set {operation.name} {master}up"


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def floor() -> float:
    plan, ledger = Plan(load(PAGE)), Ledger()
    return timed(lambda: [ledger.create(name) for name in plan.namespaces])


def ours() -> tuple[float, float, Built]:
    """Milliseconds for the fabric, for all of the cluster, and what was built."""
    plan, ledger = Plan(load(PAGE)), Ledger()
    fabric = timed(lambda: build_ours(plan, ledger))
    rules = timed(lambda: asyncio.run(load_rules(plan, ledger)))
    return fabric, fabric + rules, built({name: ledger[name] for name in ledger.names})


def by_ip() -> tuple[float, Built]:
    plan = Plan(load(PAGE))
    return timed(lambda: build_by_ip(plan)), built_by_name(plan)


def built(namespaces: Mapping[str, Namespace]) -> Built:
    found = {}
    for name, namespace in namespaces.items():
        state = dump(namespace)
        routes = frozenset(
            as_route_line(route) for route in state.routes if "fe80" not in str(route)
        )
        addresses = frozenset(f"{entry.link} {entry.address}" for entry in state.addresses)
        found[name] = (frozenset(one for one in addresses if "fe80" not in one), routes)
    return found


def built_by_name(plan: Plan) -> Built:
    return built({name: Namespace.open(f"/run/netns/{name}") for name in plan.namespaces})


def calm(way: Callable[[], T]) -> T:
    time.sleep(PAUSE_SECONDS)
    return isolated.call(way)


def measure(rounds: int) -> dict[str, float]:
    """Median milliseconds of each way.

    Raises:
        AssertionError: the two ways did not build the same.
    """
    taken: dict[str, list[float]] = {way: [] for way in (FLOOR, OURS, CLUSTER, IP)}
    for _ in range(rounds):
        taken[FLOOR].append(calm(floor))
        fabric, cluster, our_state = calm(ours)
        milliseconds, their_state = calm(by_ip)
        assert our_state == their_state, "the two ways differ in what they built"
        for way, value in ((OURS, fabric), (CLUSTER, cluster), (IP, milliseconds)):
            taken[way].append(value)
    return {way: statistics.median(values) for way, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print numbers as JSON")
    parser.add_argument("--rounds", type=int, default=7, help="the median of so many")
    options = parser.parse_args()
    found = measure(options.rounds)
    ratios = {way: value / found[OURS] for way, value in found.items()}
    if options.json:
        print(json.dumps({"ms": found, "ratio": ratios, "promised_ms": PROMISED_MS}))
        return
    for way, value in found.items():
        print(f"{way:<18}{value:>8.1f} ms {ratios[way]:>7.2f} x")
    kept = "kept" if found[CLUSTER] < PROMISED_MS else "BROKEN"
    print(f"promise: the cluster is up in {PROMISED_MS} ms: {kept}")


if __name__ == "__main__":
    main()
