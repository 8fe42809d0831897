"""What people read of a run."""

from __future__ import annotations

import io

from rich.console import Console

from harness.report.console import LiveView
from harness.run.events import Ended, Event, Judged, Result, Started, Step

PASSED = Judged("rules[web]", "s.yaml:9", Result.PASSED, "rules[web]: web holds 5 lines", 0.012)
FAILED = Judged(
    "outside",
    "s.yaml:20",
    Result.FAILED,
    "outside (s.yaml:20): the request leaves by web.net1, expected web.eth0",
    0.5,
    ("expected  leaves web.eth0", "why       rule 32760"),
)
MISSED = Judged("late", "s.yaml:30", Result.NOT_REACHED, "a step failed before it", 0.0)


def printed(*events: Event) -> list[str]:
    stream = io.StringIO()
    view = LiveView(Console(file=stream, width=120, highlight=False))
    for event in events:
        view.show(event)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_lines_come_as_things_happen() -> None:
    assert printed(
        Started("quickstart", "the page", 2),
        Step("apply pool.yaml", "s.yaml:7", 0.25),
        Step("wait for pods", "s.yaml:8", 60, "timed out"),
        PASSED,
        FAILED,
    ) == [
        "quickstart: the page",
        "  apply pool.yaml (0.25 s)",
        "  s.yaml:8: wait for pods: timed out",
        "    ok  rules[web]",
        f"  FAIL  outside  {FAILED.where}: {FAILED.sentence}",
        "          expected  leaves web.eth0",
        "          why       rule 32760",
    ]


def test_the_table_has_every_expectation_with_brackets_and_time() -> None:
    lines = printed(PASSED, FAILED, MISSED, Ended(3.5, {"cluster up": 0.42}))
    table = lines[lines.index(next(line for line in lines if line.startswith("expectation"))) :]
    assert table[1].split() == ["rules[web]", "ok", "12", "web", "holds", "5", "lines"]
    assert table[2].startswith("outside      FAIL    500")
    assert table[3].startswith("late         --        0")
    assert table[-2].split() == ["cluster", "up", "0.42", "s"]
    assert table[-1] == "1 passed, 1 failed, 1 not-reached in 3.50 s"


def test_why_nothing_was_judged_is_said() -> None:
    assert printed(Ended(0.0, cannot="no kubectl"))[-2:] == [
        "it cannot run here: no kubectl",
        "nothing was judged in 0.00 s",
    ]
    assert "stopped: the API ended" in printed(Ended(1.0, problem="the API ended"))


def test_a_step_that_failed_is_said_last_and_what_was_not_reached_is_no_news() -> None:
    step = Step("wait for pods", "s.yaml:8", 60, "timed out")
    lines = printed(step, MISSED, Ended(61.0))
    assert [line for line in lines if "late" in line] == [lines[2]], "a row of the table only"
    assert lines[-2:] == ["stopped: s.yaml:8: wait for pods: timed out", "1 not-reached in 61.00 s"]
