"""What a run tells while it goes, one JSON object a line: for the live view, pytest and files.

An engine writes them to a descriptor; whoever started it reads them. The last one is
:class:`Ended`; without it the engine died.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


class Result(enum.StrEnum):
    """How one expectation ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not-reached"
    """A step before it failed, so it was never judged."""


@dataclass(frozen=True, slots=True)
class Started:
    """The first event."""

    scenario: str
    summary: str
    expectations: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step has ended; ``problem`` is empty when it went well. ``seconds`` is wall time."""

    text: str
    where: str
    seconds: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One expectation has been judged.

    ``sentence`` says what was found, ``details`` is the evidence, line by line.
    """

    id: str
    where: str
    result: Result
    sentence: str
    seconds: float
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event; ``timings`` are seconds by name.

    ``problem``: the run could not go on. ``cannot``: this machine cannot run the scenario at
    all, and what would mend that.
    """

    seconds: float
    timings: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    cannot: str = ""


Event = Started | Step | Judged | Ended

_KINDS: Mapping[str, type[Event]] = {
    "started": Started,
    "step": Step,
    "judged": Judged,
    "ended": Ended,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(event: Event) -> bytes:
    """One line, in ASCII: paths need not be UTF-8."""
    return json.dumps({"event": _NAMES[type(event)], **asdict(event)}).encode("ascii") + b"\n"


def decode(line: bytes) -> Event:
    """The inverse of :func:`encode`."""
    fields: dict[str, Any] = json.loads(line)
    kind = _KINDS[fields.pop("event")]
    if kind is Judged:
        fields["result"] = Result(fields["result"])
        fields["details"] = tuple(fields["details"])
    return kind(**fields)
