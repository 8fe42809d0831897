"""Events survive the way through a descriptor."""

from __future__ import annotations

import pytest

from harness.run.events import Ended, Event, Judged, Result, Started, Step, decode, encode

EVENTS: list[Event] = [
    Started("quickstart", "The page", 3),
    Step("apply pool.yaml", "s.yaml:7", 0.25, "refused: \u201cno\u201d\nand more"),
    Judged(
        "rules[web]", "s.yaml:9", Result.FAILED, "web lacks a rule", 0.5, ("expected a", "seen b")
    ),
    Judged("answered", "sc\u00e9n\udcff.yaml:9", Result.PASSED, "a path that is no UTF-8", 0.5),
    Judged("rules[other]", "s.yaml:9", Result.PASSED, "all there", 0.5),
    Ended(3.5, {"cluster up": 0.5}, "", "no kubectl"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_one_line_and_comes_back(event: Event) -> None:
    line = encode(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == event
