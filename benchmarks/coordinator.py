"""One ADD of the coordinator in the warm agent, next to the kernel's share of it.

    python -m benchmarks.coordinator [--json] [--rounds N] [--pods N ...]

Pods of the page's cluster: ``net1`` beside Calico's eth0 (overlay), ``eth0`` alone (underlay,
with a veth of its own), each also on a node with many pods, and each a second time, when there
is nothing to do. The floor of ``dump`` is the same netlink requests sent and their answers
received but not looked at; that of ``apply`` the same operations, encoded beforehand, sent and
acknowledged. ``split`` is the ADD with the kernel role in another process, as deployed;
``by socket`` the ADD by the agent's socket, in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.attachment import Attachment, attachments
from benchmarks.counting import system_calls
from benchmarks.serving import agent, call, kernel_role
from benchmarks.tape import CHANGES, QUESTIONS, Tape, refused, with_indices
from harness.netns import isolated
from spiderpool.agent import coordinator as handler
from spiderpool.agent.coordinator_kernel import read_facts
from spiderpool.agent.server import Plugin
from spiderpool.coordinator.plan import plan
from spiderpool.netlink.apply import apply
from spiderpool.netlink.kernel import Kernel
from spiderpool.types.modes import CniCommand

PODS_A_NODE = 2, 100
PAUSE_SECONDS = 0.05
"""The kernel gets rid of what a DEL removed, and makes no new links meanwhile."""
PARTS = {"dump": "read_facts", "plan": "plan", "apply": "carry_out", "announce": "_announce"}
"""Parts of an ADD -> the functions of the handler's module that do them."""
FLOORS = {"dump": "dump floor", "apply": "apply floor"}
TOTAL, SPLIT, BY_SOCKET, REST = "ADD", "split", "by socket", "rest"
Times = dict[str, list[float]]
"""Milliseconds of each round, by part."""


@dataclass(frozen=True)
class Row:
    """One case: median milliseconds by part, system calls by name, operations of the plan."""

    case: str
    ms: Mapping[str, float]
    calls: Mapping[str, int]
    operations: int

    @property
    def ratios(self) -> dict[str, float]:
        """Parts to their floors, all of the ADD to the sum of its floors, where it has any, and
        the ADD with two processes to that with one."""
        pairs = {part: floor for part, floor in FLOORS.items() if self.ms.get(floor)}
        found = {part: self.ms[part] / self.ms[floor] for part, floor in pairs.items()}
        if pairs:
            found[TOTAL] = self.ms[TOTAL] / sum(self.ms[floor] for floor in pairs.values())
        return {**found, SPLIT: self.ms[SPLIT] / self.ms[TOTAL]}


def milliseconds(start: float) -> float:
    return (time.perf_counter() - start) * 1e3


@contextmanager
def parts_timed(into: Times) -> Iterator[None]:
    """Note how long the parts of ADDs in the body take."""

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args)
            finally:
                into[part].append(milliseconds(start))

        return run

    with ExitStack() as patches:
        for part, name in PARTS.items():
            wrapped = timed(part, getattr(handler, name))
            patches.enter_context(mock.patch.object(handler, name, wrapped))
        yield


class Floors:
    """What the kernel alone costs: the same questions, and the plan as bytes."""

    def __init__(self, attachment: Attachment, pod: Kernel, node: Kernel) -> None:
        self._dump, self._apply = Tape(), Tape()
        with self._dump.recording(*QUESTIONS):
            facts = read_facts(attachment.call(), pod, node)
        made = plan(facts)
        self.operations = len(made.pod) + len(made.node)
        with self._apply.recording(*CHANGES):
            apply(pod, [with_indices(one) for one in made.pod])
            apply(node, [with_indices(one) for one in made.node])

    def measure(self, into: Times) -> None:
        """Leaves the NIC attached.

        Raises:
            SystemExit: the kernel refused a change.
        """
        start = time.perf_counter()
        self._dump.play()
        into[FLOORS["dump"]].append(milliseconds(start))
        start = time.perf_counter()
        answers = self._apply.play()
        into[FLOORS["apply"]].append(milliseconds(start))
        if refused(answers):
            raise SystemExit(f"the kernel refused the floor's bytes: {answers}")


async def timed_add(attachment: Attachment, into: Times) -> None:
    with parts_timed(into):
        start = time.perf_counter()
        await attachment.handle(CniCommand.ADD)
        into[TOTAL].append(milliseconds(start))
    into[REST].append(into[TOTAL][-1] - sum(into[part][-1] for part in PARTS))


async def split_add(attachment: Attachment, into: Times) -> None:
    start = time.perf_counter()
    await attachment.handle(CniCommand.ADD, split=True)
    into[SPLIT].append(milliseconds(start))


def by_socket(attachment: Attachment, path: Path, into: Times) -> None:
    request = attachment.raw(CniCommand.ADD).encode()
    start = time.perf_counter()
    call(path, request, (attachment.node.fd, attachment.pod.fd))
    into[BY_SOCKET].append(milliseconds(start))


async def counted_add(attachment: Attachment) -> Counter[str]:
    with system_calls() as calls:
        await attachment.handle(CniCommand.ADD)
    return +calls


async def taken_back(attachment: Attachment) -> None:
    await attachment.handle(CniCommand.DEL)
    await asyncio.sleep(PAUSE_SECONDS)


async def measure_attachment(
    attachment: Attachment, path: Path, case: str, rounds: int
) -> list[Row]:
    """The first ADD and the second one, which finds everything done.

    Raises:
        SystemExit: a DEL left something.
    """
    first, again = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    before = attachment.holds()
    with Kernel(attachment.pod) as pod, Kernel(attachment.node) as node:
        floors = Floors(attachment, pod, node)
        await taken_back(attachment)
        for _ in range(rounds):
            for taken in (first, again):
                await timed_add(attachment, taken)
            await taken_back(attachment)
            for taken in (first, again):
                await split_add(attachment, taken)
            await taken_back(attachment)
            for taken in (first, again):
                by_socket(attachment, path, taken)
            await taken_back(attachment)
            floors.measure(first)
            await taken_back(attachment)
    counts = [await counted_add(attachment) for _ in (first, again)]
    await taken_back(attachment)
    if attachment.holds() != before:
        raise SystemExit(f"{case}: DEL did not bring back what was before")
    operations = floors.operations, 0
    return [
        Row(name, {part: statistics.median(ms) for part, ms in taken.items()}, calls, number)
        for name, taken, calls, number in zip(
            (case, f"{case}, again"), (first, again), counts, operations, strict=True
        )
    ]


def measure(pods_a_node: int, rounds: int) -> list[Row]:
    """All cases on one cluster; must run in a sandbox."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        path, kernel = folder / "agent.sock", folder / "kernel.sock"
        held.enter_context(kernel_role(kernel))
        both = held.enter_context(attachments(folder, kernel, pods_a_node))
        rows = []
        with agent(path, {"coordinator": Plugin(both[0].handler, frozenset())}):
            for one in both:
                case = f"{one.mode} {one.nic}, {pods_a_node} pods"
                rows += asyncio.run(measure_attachment(one, path, case, rounds))
        return rows


def table(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        lines.append(f"{row.case}: {row.operations} operations, {sum(row.calls.values())} calls")
        for part, value in row.ms.items():
            base = "in process" if part == SPLIT else "its floor"
            ratio = f"{row.ratios[part]:>7.2f} x {base}" if part in row.ratios else ""
            lines.append(f"  {part:<12}{value:>8.2f} ms{ratio}")
        calls = sorted(row.calls.items(), key=lambda item: -item[1])
        lines.append("  " + ", ".join(f"{count} {name}" for name, count in calls))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print numbers as JSON")
    parser.add_argument("--rounds", type=int, default=20, help="the median of so many")
    parser.add_argument("--pods", type=int, nargs="+", default=PODS_A_NODE, help="on a node")
    options = parser.parse_args()
    rows = [row for pods in options.pods for row in isolated.call(measure, pods, options.rounds)]
    if options.json:
        print(json.dumps([vars(row) | {"ratio": row.ratios} for row in rows]))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
