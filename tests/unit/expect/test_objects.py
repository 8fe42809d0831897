"""Objects contain mappings as subsets and lists element by element; texts may be JSON."""

from __future__ import annotations

from typing import Any

import pytest

from harness.expect.objects import judge_events, judge_object, judge_refusal

NAD = {
    "metadata": {"name": "macvlan", "ownerReferences": [{"kind": "SpiderMultusConfig", "uid": 7}]},
    "spec": {"config": '{"plugins":[{"type":"macvlan","ipam":{"pools":["10-6-v4"]}}]}'},
    "ready": True,
}


def problem(has: Any, found: dict[str, Any] | None = NAD) -> str | None:
    finding = judge_object(has, found, lambda text: text.replace("{nad}", "macvlan"))
    return finding.problem if finding else None


@pytest.mark.parametrize(
    "has",
    [
        {},
        {"metadata": {"name": "{nad}"}},
        {"metadata": {"ownerReferences": [{"kind": "SpiderMultusConfig"}]}},
        {"spec": {"config": {"plugins": [{"type": "macvlan", "ipam": {"pools": ["10-6-v4"]}}]}}},
        {"metadata": {"labels": None}},
    ],
)
def test_what_is_there_is_found(has: Any) -> None:
    assert problem(has) is None


@pytest.mark.parametrize(
    ("has", "words"),
    [
        ({"metadata": {"name": "x"}}, 'metadata.name is "macvlan", not "x"'),
        ({"metadata": {"labels": {"a": "b"}}}, "metadata.labels is missing"),
        ({"metadata": {"name": None}}, 'metadata.name is "macvlan", not null'),
        ({"metadata": {"ownerReferences": []}}, "metadata.ownerReferences has 1 entries, not 0"),
        ({"metadata": {"ownerReferences": [{"uid": "7"}]}}, 'ownerReferences[0].uid is 7, not "7"'),
        ({"ready": 1}, "ready is true, not 1"),
        ({"spec": {"config": {"plugins": [{"type": "ipvlan"}]}}}, 'plugins[0].type is "macvlan"'),
        ({"metadata": {"name": {"a": 1}}}, 'metadata.name is "macvlan", not {"a":1}'),
    ],
)
def test_what_differs_is_named_by_its_path(has: Any, words: str) -> None:
    assert words in (problem(has) or "")


def test_absence_is_expected_or_not() -> None:
    assert problem(None, None) is None
    assert problem(None) == "it exists, and should not"
    assert problem({}, None) == "it does not exist"


EVENTS = [
    {"reason": "Scheduled", "message": "on worker01"},
    {"reason": "FailedCreatePodSandBox", "message": "plugin coordinator failed ADD: no NIC net7"},
]


@pytest.mark.parametrize(
    ("reason", "words", "problem"),
    [
        ("FailedCreatePodSandBox", ("coordinator", "no NIC net7"), None),
        ("FailedCreatePodSandBox", ("coordinator", "no NIC net8"), "no event says so"),
        ("Scheduled", ("no NIC net7",), "no event says so"),
        ("Killing", ("on",), "no event has reason Killing"),
    ],
)
def test_events(reason: str, words: tuple[str, ...], problem: str | None) -> None:
    finding = judge_events(reason, words, EVENTS)
    assert (finding.problem if finding else None) == problem
    assert finding is None or finding.seen[0] == "Scheduled: on worker01"


def test_refusals() -> None:
    said = "The SpiderMultusConfig x is invalid: spec.coordinator.vethMTU: must be at least 1"
    assert judge_refusal(("vethMTU", "at least 1"), said) is None
    wrong, accepted = judge_refusal(("vethMTU", "at most"), said), judge_refusal(("x",), "")
    assert wrong is not None and wrong.problem == "the refusal does not say 'at most'"
    assert accepted is not None and accepted.problem == "it was accepted, and should not be"
