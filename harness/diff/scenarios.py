"""A scenario run twice: with our coordinator, and with another executable in its place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.diff.compared import Compared, side_by_side
from harness.diff.courses import Course, Ground, courses
from harness.diff.labels import Labels, label_pods, labels
from harness.diff.marks import reply_marks
from harness.golden.context import Side
from harness.golden.meaning import meaning_of
from harness.golden.plugins import Foreign
from harness.golden.upstream_agent import coordinator_answers, upstream_agent
from harness.netns import isolated
from harness.netns.sandbox import RUN
from harness.nodes.sandboxes import ledger_name
from harness.run.emulated import EmulatedCluster
from harness.run.judging import Judge, Judgement
from harness.run.problems import CannotRun
from harness.run.readiness import obstacles
from harness.run.session import Session
from harness.run.setting import setting
from harness.run.steps import carry_out
from harness.scenario.expectations import Expectation
from harness.scenario.model import Expect, Scenario, Step
from harness.topology.model import UNDERLAY
from spiderpool.agent.caches import COORDINATOR
from spiderpool.errors import SpiderpoolError
from spiderpool.kube.resources import POD
from spiderpool.netlink.dump import dump
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.selection import Selection
from spiderpool.types.modes import CniCommand

_VERSION = b'{"cniVersion": "1.0.0"}'
_EVERYTHING = Selection(reply_marks=True)


@dataclass(frozen=True, slots=True)
class Played:
    """``said``: steps and expectations that failed, and what pods and nodes hold at the end."""

    said: frozenset[str] = frozenset()
    courses: Mapping[str, Course] = field(default_factory=dict)


def compare(scenario: Scenario, implementation: Path) -> list[Compared]:
    """The whole scenario as one call.

    Raises:
        SandboxRefused: this machine gives no namespaces.
        CannotRun: it lacks something else.
    """
    theirs = isolated.call(_play, scenario, implementation)
    ours = isolated.call(_play, scenario, None)
    statements = (
        *((Side.THEIRS, text) for text in sorted(theirs.said - ours.said)),
        *((Side.OURS, text) for text in sorted(ours.said - theirs.said)),
    )
    return [Compared(scenario.name, statements, side_by_side(theirs.courses, ours.courses))]


def _play(scenario: Scenario, implementation: Path | None) -> Played:
    logging.disable(logging.CRITICAL)
    if missing := "; ".join(obstacles(scenario)):
        raise CannotRun(missing)
    cluster = EmulatedCluster(setting(scenario), RUN)
    return asyncio.run(_Play(scenario, cluster, implementation).whole())


class _Play:
    """One run; probes are those that the scenario's expectations send."""

    def __init__(
        self, scenario: Scenario, cluster: EmulatedCluster, implementation: Path | None
    ) -> None:
        self._scenario, self._cluster, self._implementation = scenario, cluster, implementation
        self._session = Session(cluster, scenario.names)
        by_id = {each.id: each for each in scenario.expectations()}
        self._judge = Judge(self._session, by_id)
        self._said: set[str] = set()
        self._courses: dict[str, Course] = {}

    async def whole(self) -> Played:
        try:
            await self._session.start()
            async with AsyncExitStack() as stack:
                if self._implementation is not None:
                    await self._put_in_place(self._implementation, stack)
                await self._steps()
            here, running = await self._labels(), await self._running()
            self._said |= set(_statements(here, self._states(), self._cluster.machines, running))
        finally:
            await self._session.stop()
        return Played(frozenset(self._said), self._courses)

    async def _put_in_place(self, implementation: Path, stack: AsyncExitStack) -> None:
        """The executable, and the agent that upstream's asks.

        Raises:
            BadInput: it cannot be executed.
        """
        node = self._cluster.places[self._cluster.machines[0]]
        await Foreign(implementation, node).call({"CNI_COMMAND": CniCommand.VERSION}, _VERSION)
        plugin = self._cluster.plugin_folder / COORDINATOR
        plugin.unlink()
        plugin.symlink_to(implementation)
        answers = coordinator_answers(self._cluster.client)
        await stack.enter_async_context(upstream_agent(answers))

    async def _steps(self) -> None:
        """After one that fails nothing more is done."""
        for step in self._scenario.steps:
            try:
                await self._step(step)
            except SpiderpoolError as error:
                here = await self._labels()
                self._said.add(f"step fails: {step}: {here.text(str(error))}")
                return

    async def _step(self, step: Step) -> None:
        self._cluster.check()
        if not isinstance(step, Expect):
            await carry_out(step, self._session)
            return
        await self._cluster.settle()
        here = await self._labels()
        for expectation in step.expectations:
            judgement = await self._judge.judge(expectation)
            self._note(expectation, judgement, here)

    def _note(self, expectation: Expectation, judgement: Judgement, here: Labels) -> None:
        if not judgement.verdict.ok:
            self._said.add(f"expectation fails: {here.text(judgement.verdict.sentence)}")
        if judgement.observation is not None:
            namespaces = self._session.namespaces
            pods = {place: namespaces[place] for place in here.places if place in namespaces}
            states = self._states()
            ground = Ground(
                pods,
                {nic: mark for place in pods for nic, mark in reply_marks(place, states[place])},
                frozenset(namespaces) - {UNDERLAY},
                here.nic,
                frozenset(pods),
            )
            (course,) = courses([judgement.observation], ground)
            self._courses[expectation.id] = _labelled(course, here)

    async def _labels(self) -> Labels:
        listed = await self._cluster.client.list(POD)
        pods = sorted(listed["items"], key=lambda pod: str(pod["metadata"]["name"]))
        places = label_pods(pods, await self._session.names())
        return labels(places, self._states(), self._session.wires())

    async def _running(self) -> frozenset[str]:
        """Places of pods that stay; those that fail come and go."""
        listed = await self._cluster.client.list(POD)
        return frozenset(
            ledger_name(pod["metadata"]["namespace"], pod["metadata"]["name"])
            for pod in listed["items"]
            if (pod.get("status") or {}).get("phase") == "Running"
        )

    def _states(self) -> dict[str, NetState]:
        return {
            place: dump(namespace, _EVERYTHING)
            for place, namespace in self._session.namespaces.items()
        }


def _labelled(course: Course, here: Labels) -> Course:
    choices = tuple(
        replace(
            choice,
            place=here.places.get(choice.place, choice.place),
            model=replace(choice.model, route=here.text(choice.model.route)),
        )
        for choice in course.choices
    )
    return replace(course, detail=here.text(course.detail), choices=choices)


def _statements(
    here: Labels,
    states: Mapping[str, NetState],
    machines: tuple[str, ...],
    running: frozenset[str],
) -> Iterator[str]:
    """What machines and running pods hold, but for what machines hold for others."""
    named = {
        here.places.get(place, place): states[place]
        for place in {*machines, *running}
        if place in states
    }
    others = [f"<{label}." for place, label in here.places.items() if place not in running]
    for statement in meaning_of(named):
        text = here.text(str(statement))
        if not any(label in text for label in others):
            yield text
