"""Verdicts of recorded cases, and differences between JSON documents."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

C = TypeVar("C")


class Verdict(enum.StrEnum):
    """How our outcome of a case stands to upstream's."""

    EQUAL = "equal"
    EXPLAINED = "explained"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """``explained`` is an id of docs/differences.md; empty: nothing explains it."""

    text: str
    explained: str = ""

    def __str__(self) -> str:
        return f"{self.text}  [{self.explained}]" if self.explained else self.text


@dataclass(frozen=True, slots=True)
class Judgement:
    """One case."""

    case: str
    differences: tuple[Difference, ...]

    @property
    def verdict(self) -> Verdict:
        if not self.differences:
            return Verdict.EQUAL
        return Verdict.DIFFERENT if self.unexplained else Verdict.EXPLAINED

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.explained)

    @property
    def explanations(self) -> tuple[str, ...]:
        """The ids, in the order of first use."""
        return tuple(dict.fromkeys(d.explained for d in self.differences if d.explained))

    def __str__(self) -> str:
        reasons = f": {', '.join(self.explanations)}" if self.verdict is Verdict.EXPLAINED else ""
        return f"{self.case}: {self.verdict}{reasons}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A place of two documents at which they are not the same; None: nothing is there."""

    path: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.path}: {self.theirs!r} -> {self.ours!r}"


def leaves(theirs: Any, ours: Any, path: str = "") -> Iterator[Leaf]:
    """Where the documents differ; lists of different lengths differ as a whole."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for key in sorted({*theirs, *ours}):
            inner = f"{path}.{key}" if path else str(key)
            yield from leaves(theirs.get(key), ours.get(key), inner)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from leaves(*pair, f"{path}[{index}]")
    elif theirs != ours:
        yield Leaf(path, theirs, ours)


Rules = Mapping[str, Callable[[Leaf, C], bool]]
"""An id of docs/differences.md, and whether it is the reason of one difference, given what
else was recorded."""


def explained(found: Iterable[Leaf], rules: Rules[C], context: C) -> tuple[Difference, ...]:
    """Each with the id of the first rule that holds."""
    return tuple(
        Difference(
            str(leaf), next((name for name, holds in rules.items() if holds(leaf, context)), "")
        )
        for leaf in found
    )


def summary(judgements: Iterable[Judgement]) -> dict[Verdict, int]:
    """How many cases of each verdict."""
    counts = dict.fromkeys(Verdict, 0)
    for judgement in judgements:
        counts[judgement.verdict] += 1
    return counts
