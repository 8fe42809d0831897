"""What a comparison found: of each call, or of a whole scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.diff.courses import Course
from harness.golden.context import Side
from harness.scenario.expectations import Outcome

_NOT_SENT = Course(Outcome.NO_ROUTE, "it was not sent")


@dataclass(frozen=True, slots=True)
class Taken:
    """A probe, and the course that it takes on either side."""

    probe: str
    theirs: Course
    ours: Course

    @property
    def sides(self) -> tuple[tuple[Side, Course], tuple[Side, Course]]:
        return (Side.THEIRS, self.theirs), (Side.OURS, self.ours)

    @property
    def differs(self) -> bool:
        """What was seen counts; which entry of which table led to it does not."""
        return not self.theirs.is_like(self.ours)

    @property
    def agrees(self) -> bool:
        """Whether the kernel's lookups say what was seen."""
        return self.theirs.agrees and self.ours.agrees


@dataclass(frozen=True, slots=True)
class Compared:
    """One call. ``statements`` are what one side says of the end state, and the other not."""

    call: str
    statements: tuple[tuple[Side, str], ...]
    probes: tuple[Taken, ...]

    @property
    def is_equal(self) -> bool:
        """Nothing differs, and no lookup contradicts what was seen."""
        alike = all(taken.agrees and not taken.differs for taken in self.probes)
        return alike and not self.statements


def side_by_side(theirs: Mapping[str, Course], ours: Mapping[str, Course]) -> tuple[Taken, ...]:
    """By the probes' names; one that only one side has sent differs."""
    return tuple(
        Taken(name, theirs.get(name, _NOT_SENT), ours.get(name, _NOT_SENT))
        for name in {**theirs, **ours}
    )
