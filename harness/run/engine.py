"""One scenario, from its first step to its last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.capture.pcapng import pcapng
from harness.nodes.podstatus import timestamp
from harness.run.cluster import Cluster
from harness.run.complaints import complaints
from harness.run.dump import write_state
from harness.run.events import Ended, Event, Judged, Result, Started
from harness.run.events import Step as StepDone
from harness.run.judging import Judge, Judgement
from harness.run.problems import CannotRun
from harness.run.session import Session
from harness.run.steps import carry_out
from harness.scenario.expectations import Expectation
from harness.scenario.model import Expect, Scenario, Step, Wait
from spiderpool.errors import SpiderpoolError
from spiderpool.kube.informer import cancel

CHECK_SECONDS = 0.1
"""How long a part of the cluster may be dead before a step that waits is given up."""


class Engine:
    """One run. ``emit`` gets every event; ``keep`` is a folder for what is kept of failures."""

    def __init__(
        self,
        scenario: Scenario,
        emit: Callable[[Event], None],
        keep: Path | None,
        cluster: Cluster,
    ) -> None:
        self._scenario, self._emit, self._keep = scenario, emit, keep
        self._session = Session(cluster, scenario.names)
        by_id = {each.id: each for each in scenario.expectations()}
        self._judge = Judge(self._session, by_id)
        self._unjudged = dict.fromkeys(by_id)
        self._failed = False
        self._since = timestamp()
        self._acting: asyncio.Future[Ended] | None = None

    async def run(self) -> None:
        """Steps in order; after one that fails, or an interruption, nothing more is done."""
        started, left_behind = time.monotonic(), ""
        self._acting = asyncio.ensure_future(self._act())
        try:
            ended = await self._acting
        finally:
            left_behind = await self._stop()
        problem = "; ".join(filter(None, (ended.problem, left_behind)))
        self._emit(replace(ended, seconds=time.monotonic() - started, problem=problem))

    def interrupt(self) -> None:
        """Act no more; what has been made is taken away all the same."""
        if self._acting is not None:
            self._acting.cancel()

    async def _act(self) -> Ended:
        scenario, started = self._scenario, time.monotonic()
        count = len(list(scenario.expectations()))
        self._emit(Started(scenario.name, scenario.summary, count))
        timings: dict[str, float] = {}
        try:
            await self._session.start()
            timings |= self._session.cluster.timings
            timings["cluster up"] = time.monotonic() - started
            for step in scenario.steps:
                if not await self._step(step):
                    self._give_up(step)
                    break
            if self._failed and self._keep is not None:
                await write_state(self._session, self._keep / scenario.name)
        except asyncio.CancelledError:
            return Ended(0.0, timings, problem="interrupted")
        except CannotRun as error:
            return Ended(0.0, timings, cannot=str(error))
        except SpiderpoolError as error:
            return Ended(0.0, timings, problem=str(error))
        return Ended(0.0, timings)

    async def _stop(self) -> str:
        """What could not be taken away."""
        try:
            await self._session.stop()
        except SpiderpoolError as error:
            return str(error)
        return ""

    async def _step(self, step: Step) -> bool:
        started, problem = time.monotonic(), ""
        try:
            await self._while_all_run(self._carry_out(step))
        except SpiderpoolError as error:
            problem, self._failed = "; ".join((str(error), *await self._complaints(step))), True
        if problem or not isinstance(step, Expect):
            seconds = time.monotonic() - started
            self._emit(StepDone(str(step), str(step.where), seconds, problem))
        return not problem

    async def _while_all_run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it, but do not wait for what a part of the cluster that has failed would do.

        Raises:
            PartEnded: one has failed before, or does meanwhile.
        """
        working = asyncio.ensure_future(work)
        try:
            self._session.cluster.check()
            while not (await asyncio.wait([working], timeout=CHECK_SECONDS))[0]:
                self._session.cluster.check()
            await working
        finally:
            await cancel([working])

    async def _carry_out(self, step: Step) -> None:
        if not isinstance(step, Expect):
            await carry_out(step, self._session)
            return
        await self._session.cluster.settle()
        for expectation in step.expectations:
            await self._expect(expectation)

    async def _complaints(self, step: Step) -> tuple[str, ...]:
        """Why what a step waited for has not come, as far as objects say so."""
        if not isinstance(step, Wait):
            return ()
        try:
            return await complaints(self._session.cluster.client, step.namespace, self._since)
        except SpiderpoolError:  # the step's own problem is told all the same
            return ()

    def _give_up(self, failed: Step) -> None:
        """Say of every expectation behind the failed step that it was not judged."""
        for expectation in self._scenario.expectations():
            if expectation.id in self._unjudged:
                sentence = f"{expectation.id}: not judged, as this failed: {failed}"
                where = str(expectation.where)
                self._emit(Judged(expectation.id, where, Result.NOT_REACHED, sentence, 0.0))

    async def _expect(self, expectation: Expectation) -> None:
        started = time.monotonic()
        judgement = await self._judge.judge(expectation)
        self._session.cluster.check()  # what was seen in a broken cluster is no verdict
        verdict = judgement.verdict
        del self._unjudged[expectation.id]
        result = Result.PASSED if verdict.ok else Result.FAILED
        if not verdict.ok:
            self._failed = True
            self._keep_frames(expectation, judgement)
        seconds = time.monotonic() - started
        self._emit(
            Judged(verdict.id, verdict.where, result, verdict.sentence, seconds, details(judgement))
        )

    def _keep_frames(self, expectation: Expectation, judgement: Judgement) -> None:
        if self._keep is None or judgement.observation is None:
            return
        folder = self._keep / self._scenario.name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{expectation.id}.pcapng").open("wb") as file:
            file.writelines(pcapng(judgement.observation.frames, judgement.verdict.sentence))


def details(judgement: Judgement) -> tuple[str, ...]:
    """The evidence of a failure: expected, seen, and why the kernel chose so."""
    verdict = judgement.verdict
    if verdict.ok:
        return ()
    return (
        *(f"expected  {line}" for line in verdict.expected),
        *(f"seen      {line}" for line in verdict.seen),
        *(f"why       {line}" for line in judgement.explanation),
    )
