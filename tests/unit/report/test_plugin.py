"""Scenarios as pytest items, with engines that only tell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import pytest_plugin
from harness.run.events import Ended, Event, Judged, Result, Step

pytest_plugins = ["pytester"]

SCENARIO = """\
scenario: example
summary: An example
topology: page
steps:
  - expect:
      - {id: first, on: worker01, ip rule: "0: from all lookup local"}
      - {id: second, on: worker01, ip rule: "0: from all lookup local"}
"""
QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:xdist")
FIRST = Judged("first", "scenario.yaml:6", Result.PASSED, "first: all there", 0.1)
SECOND = Judged(
    "second", "scenario.yaml:7", Result.FAILED, "second lacks a rule", 0.1, ("expected  x",)
)


class Engines:
    """Engines that tell ``events``; counts those that were started and those that ended."""

    def __init__(self, *events: Event) -> None:
        self.events, self.started, self.ended = events, 0, 0

    def run(self, *_options: object) -> Iterator[Event]:
        self.started += 1
        try:
            yield from self.events
        finally:
            self.ended += 1


def outcome(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, engines: Engines, *arguments: str
) -> pytest.RunResult:
    monkeypatch.setattr(pytest_plugin, "run", engines.run)
    pytester.path.joinpath("scenario.yaml").write_text(SCENARIO)
    return pytester.runpytest_inprocess(*QUIET, *arguments)


def test_one_engine_answers_all_items(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = Engines(FIRST, SECOND, Ended(1.0))
    result = outcome(pytester, monkeypatch, engines)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["scenario.yaml:7: second lacks a rule", "  expected  x"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert (engines.started, engines.ended) == (1, 1)


def test_one_item_alone_ends_the_engine_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = Engines(FIRST, SECOND, Ended(1.0))
    outcome(pytester, monkeypatch, engines, "-k", "first").assert_outcomes(passed=1, deselected=1)
    assert (engines.started, engines.ended) == (1, 1)


def test_a_machine_that_cannot_skips_with_the_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = outcome(pytester, monkeypatch, Engines(Ended(0.0, cannot="no kubectl: get it")), "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*no kubectl: get it"])


def test_where_nothing_may_be_skipped_such_a_machine_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = Engines(Ended(0.0, cannot="the kernel has no bond"))
    result = outcome(pytester, monkeypatch, engines, "--no-skips")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*the kernel has no bond*"])


@pytest.mark.parametrize(
    ("needs", "chosen"), [("", False), ("needs: [ipv6]", False), ("needs: [ipv6, vlan]", True)]
)
def test_links_that_not_every_kernel_has_are_a_mark(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, needs: str, chosen: bool
) -> None:
    monkeypatch.setattr(pytest_plugin, "run", Engines(FIRST, SECOND, Ended(1.0)).run)
    text = SCENARIO.replace("topology:", f"{needs}\ntopology:")
    pytester.path.joinpath("scenario.yaml").write_text(text)
    result = pytester.runpytest_inprocess(*QUIET, "--strict-markers", "-m", "link")
    taken = {"passed": 1, "failed": 1} if chosen else {"deselected": 2}
    result.assert_outcomes(**taken)


def test_a_failed_step_fails_what_comes_after(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step("apply pool.yaml", "scenario.yaml:5", 0.1, "refused")
    result = outcome(pytester, monkeypatch, Engines(FIRST, step, Ended(1.0)))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["never judged: scenario.yaml:5: apply pool.yaml: refused"])


def test_a_dead_engine_is_a_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = outcome(pytester, monkeypatch, Engines(Ended(0.0, problem="MemoryError")))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["never judged: MemoryError"])


def test_a_bad_scenario_is_an_error_with_its_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.path.joinpath("scenario.yaml").write_text(SCENARIO.replace("expect", "expct"))
    result = pytester.runpytest_inprocess(*QUIET)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*scenario.yaml:5: 'expct' is no step; use one of *"])


FAKE_ENGINE = """
import os
from harness import pytest_plugin
from harness.run.events import Ended, Judged, Result

def run(*options):
    with open(f"engine-{os.getpid()}", "x"):
        pass
    for name in ("first", "second"):
        yield Judged(name, "scenario.yaml:6", Result.PASSED, name, 0.1)
    yield Ended(1.0)

pytest_plugin.run = run
"""


def test_all_items_go_to_one_worker(pytester: pytest.Pytester) -> None:
    """So that several workers do not run one scenario several times."""
    pytester.makeconftest(FAKE_ENGINE)
    pytester.path.joinpath("scenario.yaml").write_text(SCENARIO)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2")
    result.assert_outcomes(passed=2)
    assert len(list(pytester.path.glob("engine-*"))) == 1


ON_CLUSTER = ("--on=cluster", "--cluster=/cluster.json")


def test_a_cluster_that_cannot_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody chose it, so nothing is skipped."""
    engines = Engines(Ended(0.0, cannot="the API has no node worker01"))
    result = outcome(pytester, monkeypatch, engines, *ON_CLUSTER)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["it cannot run here: the API has no node worker01"])


def test_what_stays_behind_in_a_cluster_is_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = Engines(FIRST, Ended(1.0, problem="objects of this run stay behind: Pod default/a"))
    result = outcome(pytester, monkeypatch, engines, "-k", "first", *ON_CLUSTER)
    result.assert_outcomes(passed=1, errors=1, deselected=1)
    result.stdout.fnmatch_lines(["*objects of this run stay behind: Pod default/a"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--on=cluster",), "--on cluster: does not say where the cluster is"),
        ((*ON_CLUSTER, "-n2"), "scenarios take turns on an existing cluster"),
    ],
)
def test_options_that_cannot_be(
    pytester: pytest.Pytester, options: tuple[str, ...], words: str
) -> None:
    pytester.path.joinpath("scenario.yaml").write_text(SCENARIO)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()
