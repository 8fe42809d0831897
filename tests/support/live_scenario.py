"""A scenario brought up and kept, so that its probes can be asked again after changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.expect.judge import judge
from harness.expect.names import Names
from harness.expect.paths import Contrast
from harness.expect.resolve import resolve
from harness.netns import sandbox
from harness.run.emulated import EmulatedCluster
from harness.run.session import Session
from harness.run.setting import setting
from harness.run.steps import carry_out
from harness.scenario.expectations import Blocked, Expectation, Reaches
from harness.scenario.load import load
from harness.scenario.model import Advertise, Expect, Scenario
from harness.trace.observe import Observation, observe

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PATIENCE_SECONDS = 0.25
"""When all is well the answers come within milliseconds."""


class LiveScenario:
    """Its session and names, and which of its probes fail now."""

    def __init__(self, scenario: Scenario, session: Session, names: Names) -> None:
        self.session, self.names, self._scenario = session, names, scenario
        self._namespaces, self._wires = session.namespaces, session.wires()
        self._expectations = {each.id: each for each in scenario.expectations()}

    async def advertise_again(self) -> None:
        """Routers say what they have said before, as they do again and again."""
        for step in self._scenario.steps:
            if isinstance(step, Advertise):
                await carry_out(step, self.session)

    async def failing(self, *, all_of_them: bool = False) -> tuple[str, ...]:
        """The first probe that fails now, or all."""
        found = []
        for expectation in self._expectations.values():
            if _names_a_way(expectation) and not await self._holds(expectation):
                found.append(expectation.id)
                if not all_of_them:
                    break
        return tuple(found)

    async def _holds(self, expectation: Expectation) -> bool:
        seen = await self._observe(expectation)
        if not isinstance(expectation, Blocked):
            return judge(expectation, seen, self.names).ok
        control = self._expectations[expectation.control]
        verdict = judge(control, await self._observe(control), self.names)
        return judge(expectation, Contrast(seen, verdict), self.names).ok

    async def _observe(self, expectation: Expectation) -> Observation:
        assert isinstance(expectation, Reaches | Blocked)
        sending, capture = resolve(expectation.probe, self.names), self.session.capture
        return await observe(sending, self._namespaces, capture, self._wires, PATIENCE_SECONDS)


@asynccontextmanager
async def live(name: str) -> AsyncIterator[LiveScenario]:
    """The scenario of that folder below ``scenarios``, all of its steps carried out but those
    that expect. Call it inside a sandbox."""
    scenario = load(SCENARIOS / name)
    cluster = EmulatedCluster(setting(scenario), sandbox.RUN)
    session = Session(cluster, scenario.names)
    try:
        await session.start()
        for step in scenario.steps:
            if not isinstance(step, Expect):
                await carry_out(step, session)
        await session.cluster.settle()
        yield LiveScenario(scenario, session, await session.names())
    finally:
        await session.stop()


def _names_a_way(expectation: Expectation) -> bool:
    """Answered probes, and blocked ones of which the first NIC is expected."""
    if isinstance(expectation, Blocked):
        return expectation.leaves is not None
    return isinstance(expectation, Reaches)
