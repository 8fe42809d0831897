"""A scenario that is another one with some things different. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.scenario.document import Item
from harness.scenario.expectations import Expectation
from harness.scenario.model import Expect, Name, Scenario, Step
from spiderpool.errors import BadInput


@dataclass(frozen=True, slots=True)
class Changes:
    """``names`` are added or put in the place of others; ``without`` are ids of expectations to
    leave out; ``instead`` has expectations for those of the same ids."""

    names: Mapping[str, Name]
    without: Sequence[Item]
    instead: Sequence[Expectation]


def changed(original: Scenario, changes: Changes) -> Scenario:
    """The scenario with the changes made.

    Raises:
        BadInput: an id is none of the original's, so nothing would change.
    """
    known = {each.id for each in original.expectations()}
    for item in changes.without:
        if item.text() not in known:
            raise item.fail(f"{original.name} has no expectation {item.text()!r}", "see its ids")
    for expectation in changes.instead:
        if expectation.id not in known:
            raise BadInput(
                str(expectation.where),
                f"{original.name} has no expectation {expectation.id!r} to put this one in for",
                "see its ids",
            )
    without = {item.text() for item in changes.without}
    instead = {each.id: each for each in changes.instead}
    steps = (_step(step, without, instead) for step in original.steps)
    return replace(original, names={**original.names, **changes.names}, steps=tuple(steps))


def _step(step: Step, without: set[str], instead: Mapping[str, Expectation]) -> Step:
    if not isinstance(step, Expect):
        return step
    kept = (each for each in step.expectations if each.id not in without)
    return replace(step, expectations=tuple(instead.get(each.id, each) for each in kept))
