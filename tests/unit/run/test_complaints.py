"""A step that waited in vain says what objects complain of."""

from __future__ import annotations

import pytest

from harness.run.complaints import newest
from spiderpool.kube.api import Object

SINCE = "2026-11-24T10:00:00Z"


def event(name: str, message: str, second: int, **changes: object) -> Object:
    return {
        "metadata": {"name": f"{name}.1"},
        "involvedObject": {"kind": "Pod", "name": name},
        "type": "Warning",
        "reason": "FailedCreatePodSandBox",
        "message": message,
        "lastTimestamp": f"2026-11-24T10:00:{second:02}Z",
    } | changes


def test_the_newest_comes_first_and_three_at_most() -> None:
    events = [event(f"web-{number}", f"reason {number}", number) for number in range(5)]
    assert newest(events, SINCE) == (
        "Pod web-4: FailedCreatePodSandBox: reason 4",
        "Pod web-3: FailedCreatePodSandBox: reason 3",
        "Pod web-2: FailedCreatePodSandBox: reason 2",
    )


def test_what_two_pods_complain_of_is_said_once() -> None:
    events = [event(name, f"no network for {name}", 1) for name in ("web-a", "web-b")]
    assert len(newest(events, SINCE)) == 1


def test_what_an_object_complained_of_before_is_not_said() -> None:
    events = [event("web", "no network", 1), event("web", "no address", 2)]
    assert newest(events, SINCE) == ("Pod web: FailedCreatePodSandBox: no address",)


@pytest.mark.parametrize(
    "other",
    [
        event("web", "old", 0, lastTimestamp="2026-11-24T09:59:59Z"),
        event("web", "well", 1, type="Normal"),
    ],
    ids=["before the run", "no warning"],
)
def test_others_are_not_said(other: Object) -> None:
    assert newest([other], SINCE) == ()


def test_events_of_the_newer_api_have_another_time() -> None:
    newer = event("web", "late", 0, lastTimestamp=None, eventTime="2026-11-24T10:00:01.123456Z")
    assert newest([newer], SINCE) != ()
