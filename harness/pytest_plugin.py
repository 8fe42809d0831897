"""Scenarios as tests: every expectation of every ``scenario.yaml`` is one pytest item.

A scenario runs once, in an engine of its own, when the first of its items is asked for;
under pytest-xdist all its items go to one worker.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.netns.capabilities import LINKS
from harness.run.events import Ended, Event, Judged, Result, Step
from harness.run.launch import run
from harness.run.target import Emulation, Existing, Target, chosen, declare
from harness.scenario.expectations import Expectation
from harness.scenario.load import FILE_NAME, load
from spiderpool.errors import BadInput

_TARGET = pytest.StashKey[Target]()


class ExpectationFailed(Exception):
    """What an item reports: a sentence and its evidence, no traceback."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("harness", "scenarios in network namespaces")
    group.addoption(
        "--keep", type=Path, metavar="FOLDER", help="keep captures and state of failures there"
    )
    words = "a test that is skipped fails: here is what it needs"
    group.addoption("--no-skips", action="store_true", help=words)
    declare(group.addoption)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the items of a file, so those of a scenario, on one worker: ``-n`` alone spreads
    them."""
    config.addinivalue_line("markers", "kernel: needs network namespaces")
    config.addinivalue_line("markers", "link(kind): needs a kind of link that not all kernels have")
    try:
        target = config.stash[_TARGET] = chosen(config.option)
    except BadInput as error:
        raise pytest.UsageError(str(error)) from None
    if isinstance(target, Existing) and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("scenarios take turns on an existing cluster: leave -n out")
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "loadfile"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("no_skips"):
        report.outcome = "failed"
    return report


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name != FILE_NAME:
        return None
    collector: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return collector


class ScenarioFile(pytest.File):
    """One scenario; holds its run while items ask for verdicts."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._run: Iterator[Event] | None = None
        self._verdicts: dict[str, Judged] = {}
        self._end: Ended | None = None
        self._failed_step: Step | None = None

    def collect(self) -> Iterable[pytest.Item]:
        try:
            scenario = load(self.path)
        except BadInput as error:
            raise self.CollectError(str(error)) from None
        for expectation in scenario.expectations():
            item = ExpectationItem.from_parent(self, name=expectation.id, expectation=expectation)
            item.add_marker(pytest.mark.kernel)
            for need in scenario.needs:
                if need in LINKS:
                    item.add_marker(pytest.mark.link(str(LINKS[need])))
            yield item

    def verdict(self, identifier: str) -> Judged:
        """The verdict on one expectation; runs the scenario as far as that needs."""
        if self._run is None:
            keep, target = self.config.getoption("keep"), self.config.stash[_TARGET]
            self._run = run(self.path, keep, target)
        while identifier not in self._verdicts and self._end is None:
            self._follow(next(self._run))
        if identifier not in self._verdicts:
            self._explain_absence()
        return self._verdicts[identifier]

    def _follow(self, event: Event) -> None:
        if isinstance(event, Judged):
            self._verdicts[event.id] = event
        elif isinstance(event, Step) and event.problem:
            self._failed_step = event
        elif isinstance(event, Ended):
            self._end = event

    def _explain_absence(self) -> None:
        assert self._end is not None
        if self._end.cannot and isinstance(self.config.stash[_TARGET], Emulation):
            pytest.skip(self._end.cannot)
        if self._end.cannot:  # somebody chose that cluster for these scenarios
            raise ExpectationFailed(f"it cannot run here: {self._end.cannot}")
        step = self._failed_step
        words = f"{step.where}: {step.text}: {step.problem}" if step else self._end.problem
        raise ExpectationFailed(f"never judged: {words or 'the run ended before it'}")

    def teardown(self) -> None:
        """End the engine when the last item is done; in an existing cluster it deletes what it
        has made there, and what stays behind is an error."""
        if self._run is None:
            return
        if isinstance(self.config.stash[_TARGET], Emulation):
            self._run.close()  # type: ignore[attr-defined]
            return
        for event in self._run:
            self._follow(event)
        if self._end is not None and self._end.problem:
            raise ExpectationFailed(self._end.problem)


class ExpectationItem(pytest.Item):
    """One expectation."""

    parent: ScenarioFile

    def __init__(self, *, expectation: Expectation, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._expectation = expectation

    def runtest(self) -> None:
        verdict = self.parent.verdict(self._expectation.id)
        if verdict.result is not Result.PASSED:
            lines = "".join(f"\n  {line}" for line in verdict.details)
            raise ExpectationFailed(f"{verdict.where}: {verdict.sentence}{lines}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """The sentence alone for what a scenario found, a traceback for what is our fault."""
        if isinstance(excinfo.value, ExpectationFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int, str]:
        where = self._expectation.where
        return Path(where.file), where.line - 1, f"{self.path.parent.name}: {self.name}"
