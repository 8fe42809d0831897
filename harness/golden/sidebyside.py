"""A recorded case's calls through our plugin and through another executable, compared.

Both start from the recorded states; upstream's recorded results play no part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.golden.context import Side
from harness.golden.coordinator import named_links
from harness.golden.meaning import meaning
from harness.golden.paths import Way, probes_of, ways
from harness.golden.plugins import BesideAnAgent, Executable, Foreign, OurCoordinator
from harness.golden.recorded import Add, Case, Pair
from harness.golden.replay import Answer, Ours, replay
from harness.golden.stage import KernelStage
from harness.netns import isolated
from harness.netns.ledger import Ledger
from harness.netns.sandbox import RUN
from spiderpool.coordinator.config import Config
from spiderpool.netlink.namespace import Namespace

Ways = dict[str, Way]


@dataclass(frozen=True, slots=True)
class Taken:
    """A probe, and the way that it takes after a call of either side."""

    probe: str
    theirs: Way
    ours: Way

    @property
    def differs(self) -> bool:
        """The NIC counts; which entry of which table led to it does not."""
        return self.theirs.nic != self.ours.nic


@dataclass(frozen=True, slots=True)
class Compared:
    """One call. ``statements`` are what one side says of the end state, and the other not."""

    call: str
    statements: tuple[tuple[Side, str], ...]
    probes: tuple[Taken, ...]

    @property
    def differs(self) -> bool:
        return bool(self.statements) or any(taken.differs for taken in self.probes)


def compare(case: Case, implementation: Path) -> list[Compared]:
    """All calls of the case, each side in namespaces of its own.

    Raises:
        SandboxRefused: this machine gives no namespaces.
        BadInput: the executable cannot be run.
    """
    return isolated.call(_compare, case, implementation)


def _compare(case: Case, implementation: Path) -> list[Compared]:
    logging.disable(logging.CRITICAL)

    def other(node: Namespace) -> Executable:
        return BesideAnAgent(Foreign(implementation, node), case.configuration)

    theirs = _play(case, other)
    ours = _play(case, lambda node: OurCoordinator(case, node, RUN))
    return [_compared(case, *pair) for pair in zip(theirs, ours, strict=True)]


@dataclass(frozen=True, slots=True)
class _Played:
    call: str
    outcome: Ours
    ways: Ways


class _Probed:
    """A stage that also asks for the ways after each call."""

    def __init__(self, case: Case, stage: KernelStage) -> None:
        self._case, self._stage = case, stage
        self.taken: list[Ways] = []

    def arrange(self, wanted: Pair) -> None:
        self._stage.arrange(wanted)

    def state(self) -> Pair:
        return self._stage.state()

    def attach(self, add: Add, config: Config) -> Answer:
        return self._then_ask(self._stage.attach(add, config))

    def detach(self, add: Add, config: Config) -> Answer:
        return self._then_ask(self._stage.detach(add, config))

    def _then_ask(self, answer: Answer) -> Answer:
        places = {"pod": self._stage.pod, "node": self._stage.node}
        self.taken.append(ways(probes_of(self._case, self.state()), places))
        return answer


def _play(case: Case, plugin: Callable[[Namespace], Executable]) -> list[_Played]:
    with Ledger() as ledger:
        stage = _Probed(case, KernelStage(ledger, plugin))
        outcome = replay(case, stage)
    calls = [f"ADD {one.nic}" for one in outcome.adds]
    calls += [f"DEL {one.nic}" for one in outcome.removals]
    outcomes = (*outcome.adds, *outcome.removals)
    return [_Played(*one) for one in zip(calls, outcomes, stage.taken, strict=True)]


def _compared(case: Case, theirs: _Played, ours: _Played) -> Compared:
    names = {**theirs.ways, **ours.ways}
    nothing = Way("no such address")
    probes = (
        Taken(name, theirs.ways.get(name, nothing), ours.ways.get(name, nothing)) for name in names
    )
    return Compared(ours.call, tuple(_statements(case, theirs.outcome, ours.outcome)), (*probes,))


def _statements(case: Case, theirs: Ours, ours: Ours) -> Iterator[tuple[Side, str]]:
    """Refusals, then what the namespaces hold."""
    for side, one in ((Side.THEIRS, theirs), (Side.OURS, ours)):
        if one.answer.refusal:
            yield side, f"refused: {one.answer.refusal}"
    named = named_links(case)
    there, here = meaning(theirs.after, named), meaning(ours.after, named)
    yield from ((Side.THEIRS, str(statement)) for statement in sorted(there - here, key=str))
    yield from ((Side.OURS, str(statement)) for statement in sorted(here - there, key=str))
