"""Whether an API object contains what is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from harness.expect.verdict import Finding

Fill = Callable[[str], str]
"""Fills the placeholders of a text."""


def judge_object(has: Any, found: dict[str, Any] | None, fill: Fill) -> Finding | None:
    """What is missing or different first; None when everything is there.

    ``has`` None means that there must be no object.
    """
    if has is None:
        return None if found is None else Finding("it exists, and should not")
    if found is None:
        return Finding("it does not exist", expected=_printed(has))
    for problem in _differences("", filled(has, fill), found):
        return Finding(problem, _printed(filled(has, fill)), _printed(found))
    return None


def judge_events(
    reason: str, words: tuple[str, ...], found: Sequence[Mapping[str, Any]]
) -> Finding | None:
    """None when one of the Events has the reason, and all the words in its message."""
    messages = [event.get("message", "") for event in found if event.get("reason") == reason]
    if any(all(word in message for word in words) for message in messages):
        return None
    expected = (f"{reason}: {' ... '.join(words)}",)
    seen = tuple(f"{event.get('reason')}: {event.get('message')}" for event in found)
    missing = "says so" if messages else f"has reason {reason}"
    return Finding(f"no event {missing}", expected, seen)


def judge_refusal(words: tuple[str, ...], complaint: str) -> Finding | None:
    """``complaint`` is what kubectl said; empty when it was not refused."""
    if not complaint:
        return Finding("it was accepted, and should not be", words)
    missing = [word for word in words if word not in complaint]
    return (
        Finding(f"the refusal does not say {missing[0]!r}", words, (complaint,))
        if missing
        else None
    )


def judge_check(words: tuple[str, ...], complaint: str) -> Finding | None:
    """``complaint`` is what CNI CHECK failed with; empty when it found nothing amiss."""
    if not complaint:
        return Finding("CHECK finds nothing amiss, and should", words) if words else None
    if not words:
        return Finding(f"CHECK fails: {complaint}", (), (complaint,))
    missing = [word for word in words if word not in complaint]
    return Finding(f"CHECK does not say {missing[0]!r}", words, (complaint,)) if missing else None


def filled(value: Any, fill: Fill) -> Any:
    """A value with the placeholders of every text in it filled in."""
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, list):
        return [filled(entry, fill) for entry in value]
    if isinstance(value, dict):
        return {key: filled(entry, fill) for key, entry in value.items()}
    return value


def _differences(path: str, has: Any, found: Any) -> Iterator[str]:
    if isinstance(has, dict | list) and isinstance(found, str):
        found = _parsed(found)
    if isinstance(has, dict) and isinstance(found, dict):
        for key, entry in has.items():
            inner = f"{path}.{key}" if path else str(key)
            if key in found or entry is None:
                yield from _differences(inner, entry, found.get(key))
            else:
                yield f"{inner} is missing"
    elif isinstance(has, list) and isinstance(found, list):
        if len(has) != len(found):
            yield f"{path} has {len(found)} entries, not {len(has)}"
        for index, (entry, other) in enumerate(zip(has, found, strict=False)):
            yield from _differences(f"{path}[{index}]", entry, other)
    elif type(has) is not type(found) or has != found:  # True is not 1
        yield f"{path} is {_short(found)}, not {_short(has)}"


def _parsed(text: str) -> Any:
    """Texts like a NAD's ``config`` are JSON; what is none stays a text."""
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}..."


def _printed(value: Any) -> tuple[str, ...]:
    return tuple(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode().splitlines())
