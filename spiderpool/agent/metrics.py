"""What an agent counts, under upstream's names where they mean the same."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spiderpool.agent.ipam_writer import Counters
from spiderpool.agent.server import Handler
from spiderpool.cni.request import CniRequest
from spiderpool.errors import BadInput, CniCode, NoAddress, SpiderpoolError
from spiderpool.metrics.durations import Durations
from spiderpool.metrics.text import Metric, counter, gauge
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand

PREFIX = "spiderpool_ipam"

PROBLEMS = {
    "err_no_available_pool_counts": "of which no pool serves the NIC",
    "err_ip_used_out_counts": "of which the pools have nothing left",
    "err_retries_exhausted_counts": "of which the API could not be written to in time",
    "err_wrong_input_counts": "of which an annotation, pool or configuration is wrong",
    "err_internal_counts": "of other reasons",
}


def problem_of(error: BaseException) -> str:
    """The name under which a failure is counted."""
    if isinstance(error, NoAddress):
        return "err_ip_used_out_counts" if error.used_out else "err_no_available_pool_counts"
    if isinstance(error, BadInput):
        return "err_wrong_input_counts"
    if isinstance(error, SpiderpoolError) and error.code is CniCode.TRY_AGAIN_LATER:
        return "err_retries_exhausted_counts"
    return "err_internal_counts"


def condition(problems: Sequence[str], intents: Iterable[Path]) -> Iterator[Metric]:
    """How the agent is: why it would serve no ADD, and the DELs that wait to be done."""
    ages = _ages(intents)
    yield gauge("spiderpool_agent_ready", "1 when an ADD would be served, else 0.", not problems)
    yield gauge("spiderpool_agent_intent_counts", "DELs that wait to be done.", len(ages))
    yield gauge(
        "spiderpool_agent_oldest_intent_seconds",
        "How long the oldest of them has waited.",
        max(ages, default=0.0),
    )


def _ages(intents: Iterable[Path]) -> list[float]:
    """Seconds; an intent's name begins with the time of its making, in nanoseconds."""
    now = time.time_ns()
    stamps = (path.name.partition("-")[0] for path in intents)
    return [max(now - int(stamp), 0) / 1e9 for stamp in stamps if stamp.isdigit()]


@dataclass(slots=True)
class Calls:
    """The calls of one command."""

    durations: Durations = field(default_factory=Durations)
    failures: int = 0
    problems: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROBLEMS, 0))

    def metrics(self, word: str, waited: Durations) -> Iterator[Metric]:
        prefix = f"{PREFIX}_{word}"
        yield counter(f"{prefix}_counts", f"Requests for {word}.", self.durations.count)
        yield counter(f"{prefix}_failure_counts", "Those that failed.", self.failures)
        for name, count in self.problems.items():
            yield counter(f"{prefix}_{name}", f"Those that failed, {PROBLEMS[name]}.", count)
        yield from self.durations.metrics(prefix, "duration_seconds", word)
        yield from waited.metrics(prefix, "limit_duration_seconds", f"waiting for {word}")


@dataclass(slots=True)
class MeasuredIpam:
    """:class:`spiderpool.agent.server.Handler` that counts what ``handler`` does."""

    handler: Handler
    counters: Counters
    allocation: Calls = field(default_factory=Calls)
    release: Calls = field(default_factory=Calls)

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        """Carry out one call, and count it if it is an ADD or DEL."""
        match request.command:
            case CniCommand.ADD:
                calls = self.allocation
            case CniCommand.DEL:
                calls = self.release
            case _:
                return await self.handler.handle(request, own, pod)
        started = time.monotonic()
        try:
            return await self.handler.handle(request, own, pod)
        except BaseException as error:
            calls.failures += 1
            calls.problems[problem_of(error)] += 1
            raise
        finally:
            calls.durations.note(time.monotonic() - started)

    def metrics(self) -> Iterator[Metric]:
        """All numbers of the agent."""
        counts = self.counters
        yield from self.allocation.metrics("allocation", counts.claims_waited)
        yield from self.release.metrics("release", counts.releases_waited)
        yield counter(
            f"{PREFIX}_allocation_update_ippool_conflict_counts",
            "Writes that somebody else's change refused; releases ride in the same ones.",
            counts.refused,
        )
        yield counter(f"{PREFIX}_writes_counts", "Writes of address blocks.", counts.writes)
        yield counter(f"{PREFIX}_reads_counts", "Blocks read again.", counts.reads)
        yield counter(
            f"{PREFIX}_given_back_counts", "Addresses whose asker had gone.", counts.given_back
        )
