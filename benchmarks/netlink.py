"""Netlink: our code, pyroute2 and ``ip -batch`` next to pre-encoded bytes, in one run.

    python -m benchmarks.netlink [--json] [--operations N] [--rounds N]

The floor is the same messages encoded beforehand and sent in batches: the kernel's work and
the system calls alone. Everything runs in a namespace of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyroute2 import IPRoute

from spiderpool.netlink import requests
from spiderpool.netlink.apply import apply
from spiderpool.netlink.channel import Channel
from spiderpool.netlink.dump import dump
from spiderpool.netlink.encode import encode
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.objects import Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    DeleteAddress,
    DeleteRoute,
    DeleteRule,
    Operation,
)
from spiderpool.netlink.text import as_command
from spiderpool.testing.builders import address, direct, pair, route, up
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.address import Family, Prefix
from spiderpool.types.names import IfName, TableID

ETH0, INDEX, TABLE = IfName("eth0"), 10, TableID(100)
FLOOR = "pre-encoded bytes"


@dataclass(frozen=True)
class Row:
    """Microseconds per operation (or per dump) of each way, and its ratio to the floor."""

    case: str
    microseconds: dict[str, float]

    @property
    def ratios(self) -> dict[str, float]:
        floor = self.microseconds[FLOOR]
        return {way: value / floor for way, value in self.microseconds.items()}


@dataclass(frozen=True)
class Case:
    """Operations to add, how to take them away, and how pyroute2 says the same."""

    name: str
    add: Sequence[Operation]
    remove: Sequence[Operation]
    with_pyroute2: Callable[[IPRoute, int], object]


def cases(count: int) -> list[Case]:
    routes = [route(f"10.{i // 250}.{i % 250}.0/24", ETH0, "10.255.0.1") for i in range(count)]
    rules = [Rule(1000 + i, TABLE, source=Prefix(f"10.6.0.{i % 250}/32")) for i in range(count)]
    addresses = [address(ETH0, f"10.250.{i // 250}.{i % 250 + 1}/32") for i in range(count)]
    return [
        Case(
            "route add",
            [AddRoute(one) for one in routes],
            [DeleteRoute(one) for one in routes],
            lambda ip, i: ip.route(
                "append", dst=routes[i].destination, gateway="10.255.0.1", oif=INDEX, proto=3
            ),
        ),
        Case(
            "rule add",
            [AddRule(one) for one in rules],
            [DeleteRule(one) for one in rules],
            lambda ip, i: ip.rule("add", priority=1000 + i, src=rules[i].source, table=TABLE),
        ),
        Case(
            "address add",
            [AddAddress(one) for one in addresses],
            [DeleteAddress(one) for one in addresses],
            lambda ip, i: ip.addr("add", index=INDEX, address=addresses[i].address, prefixlen=32),
        ),
    ]


def timed(action: Callable[[], object], undo: Callable[[], object], rounds: int) -> float:
    """Median microseconds of ``action``; ``undo`` is not counted."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        taken.append((time.perf_counter() - start) * 1e6)
        undo()
    return statistics.median(taken)


def ip_batch(operations: Sequence[Operation]) -> None:
    lines = "\n".join(as_command(one).removeprefix("ip ") for one in operations)
    subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True)


def measure_changes(case: Case, kernel: Kernel, bytes_: Channel, ip: IPRoute, rounds: int) -> Row:
    count = len(case.add)
    encoded = [encode(operation, {ETH0: INDEX}) for operation in case.add]

    def ours_one_by_one() -> None:
        for operation in case.add:
            apply(kernel, (operation,))

    def with_pyroute2() -> None:
        for i in range(count):
            case.with_pyroute2(ip, i)

    def undo() -> None:
        apply(kernel, case.remove)

    ways: dict[str, Callable[[], object]] = {
        FLOOR: lambda: bytes_.batch(encoded),
        "ours": lambda: apply(kernel, case.add),
        "ours, one by one": ours_one_by_one,
        "pyroute2": with_pyroute2,
        "ip -batch": lambda: ip_batch(case.add),
    }
    return Row(case.name, {way: timed(do, undo, rounds) / count for way, do in ways.items()})


def measure_dump(kernel: Kernel, bytes_: Channel, ip: IPRoute, rounds: int) -> Row:
    """Links, addresses, routes, rules and neighbours; the floor does not look at the answers."""
    asked = [requests.links()]
    for family in Family:
        asked += [requests.addresses(family), requests.routes(family), requests.rules(family)]
        asked += [requests.neighbours(family, proxy=proxy) for proxy in (False, True)]

    def with_pyroute2() -> None:
        list(ip.get_links())
        list(ip.get_addr())
        list(ip.get_rules())
        for family in Family:
            list(ip.get_routes(family=family))
            list(ip.get_neighbours(family=family))

    def with_ip() -> None:
        for family, commands in ("-4", "link\naddr\nneigh\n"), ("-6", ""):
            subprocess.run(
                ["ip", family, "-json", "-batch", "-"], check=True, capture_output=True,
                input=commands + "route show table all\nrule\n", text=True,
            )  # fmt: skip

    ways: dict[str, Callable[[], object]] = {
        FLOOR: lambda: [bytes_.dump(request) for request in asked],
        "ours": lambda: dump(kernel),
        "pyroute2": with_pyroute2,
        "ip -batch": with_ip,
    }
    return Row(
        "dump of a pod", {way: timed(do, lambda: None, 3 * rounds) for way, do in ways.items()}
    )


def measure(count: int, rounds: int) -> list[Row]:
    with new_namespace() as namespace, namespace.entered():
        kernel, bytes_ = Kernel(namespace), Channel(namespace)
        apply(kernel, (up("lo"), pair(ETH0, "peer0", INDEX), up("peer0")))
        apply(kernel, (AddAddress(address(ETH0, "10.255.0.2/16")),))
        with IPRoute() as ip:
            rows = [measure_changes(one, kernel, bytes_, ip, rounds) for one in cases(count)]
            pod = [direct(f"10.{i}.0.0/16", ETH0, table=TABLE) for i in range(12)]
            apply(kernel, [AddRoute(one) for one in pod])
            apply(kernel, [AddRule(Rule(i, TABLE, source=Prefix("10.6.0.1/32"))) for i in (1, 2)])
            rows.append(measure_dump(kernel, bytes_, ip, rounds))
        bytes_.close()
        kernel.close()
        return rows


def table(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        lines.append(f"{row.case}: {FLOOR} {row.microseconds[FLOOR]:.1f} µs")
        lines += [
            f"  {way:<18}{row.microseconds[way]:>9.1f} µs {ratio:>7.1f} x"
            for way, ratio in row.ratios.items()
            if way != FLOOR
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print numbers as JSON")
    parser.add_argument("--operations", type=int, default=200, help="operations in a batch")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many")
    options = parser.parse_args()
    rows = measure(options.operations, options.rounds)
    if options.json:
        print(json.dumps([{"case": r.case, "us": r.microseconds, "ratio": r.ratios} for r in rows]))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
