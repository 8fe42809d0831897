"""What a command that looks for trouble found, as one line each."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How bad it is; only a problem makes a command fail."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """``where`` was looked, ``text`` says what was found there, ``remedy`` how to mend it."""

    level: Level
    where: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        words = f"{self.where}: {self.text}" + (f"; {self.remedy}" if self.remedy else "")
        return " ".join(words.split())


def ok(where: str, text: str) -> Finding:
    """All is well there."""
    return Finding(Level.OK, where, text)


def warning(where: str, text: str, remedy: str) -> Finding:
    """It works, and may do so no longer, or not for everybody."""
    return Finding(Level.WARNING, where, text, remedy)


def problem(where: str, text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Level.PROBLEM, where, text, remedy)


def status_of(findings: Iterable[Finding]) -> int:
    """The exit status of a command: 1 when there is a problem."""
    return 1 if any(finding.level is Level.PROBLEM for finding in findings) else 0


def as_lines(findings: Sequence[Finding]) -> list[str]:
    """One line each, the level in front, and a count at the end."""
    lines = [f"{finding.level:8} {finding}" for finding in findings]
    counts = {level: sum(f.level is level for f in findings) for level in Level}
    return [*lines, f"{_many(counts[Level.PROBLEM], 'problem')}, "
            f"{_many(counts[Level.WARNING], 'warning')}"]  # fmt: skip


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
