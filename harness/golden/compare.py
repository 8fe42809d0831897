"""Differences between JSON documents, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """One recorded case: what differs, and why a difference is meant to be.

    ``explained`` says why, in words that docs/differences.md has too; empty when ours and
    upstream's must agree.
    """

    case: str
    differences: tuple[str, ...] = ()
    explained: str = ""

    @property
    def holds(self) -> bool:
        """Agreement where it is due, a difference where one is promised."""
        return bool(self.differences) == bool(self.explained)

    def __str__(self) -> str:
        if self.holds:
            return f"{self.case}: {'differs as meant: ' + self.explained if self.explained else ''}"
        if self.explained:
            return f"{self.case}: no longer differs, though it should: {self.explained}"
        return f"{self.case}: " + "; ".join(self.differences)


def differences(theirs: Any, ours: Any, path: str = "") -> Iterator[str]:
    """``path: theirs -> ours`` for each leaf that is not the same."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for key in sorted({*theirs, *ours}):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(theirs.get(key), ours.get(key), inner)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif theirs != ours:
        yield f"{path}: {theirs!r} -> {ours!r}"
