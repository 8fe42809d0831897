r"""The JSONPath of printer columns: ``.a.b``, ``['a.b']``, ``a\.b``, ``[0]``, ``[*]`` and filters.

A filter is ``[?(@.type=="Ready")]``, with ``==`` or ``!=`` and a quoted string or a number.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(
    r"""\.?(?:
      \[\?\(\s*@(?P<inner>[^=!<>\s]+)\s*(?P<op>==|!=)\s*(?P<quote>["']?)(?P<wanted>.*?)(?P=quote)\s*\)\]
    | \[(?P<index>-?\d+)\]
    | \[(?P<every>\*)\]
    | \[(?P<q>["'])(?P<key>.*?)(?P=q)\]
    | \.?(?P<name>(?:\\.|[^.\[\]\\])+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a field, an index, all items (``every``), or the items that pass a filter."""

    name: str = ""
    index: int | None = None
    every: bool = False
    inner: tuple[Step, ...] = ()
    equal: bool = True
    wanted: str = ""


class BadPath(ValueError):
    """The text is no path of this language."""


@functools.cache
def parse(path: str) -> tuple[Step, ...]:
    """Raises BadPath."""
    text = path.removeprefix("{").removesuffix("}")
    steps, position = [], 0
    while position < len(text):
        found = _STEP.match(text, position)
        if not found or found.end() == position:
            raise BadPath(f"{path!r}: cannot read {text[position:]!r}")
        steps.append(_step(found))
        position = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["inner"]:
        return Step(inner=parse(found["inner"]), equal=found["op"] == "==", wanted=found["wanted"])
    if found["index"]:
        return Step(index=int(found["index"]))
    if found["every"]:
        return Step(every=True)
    name = found["key"] if found["key"] is not None else found["name"]
    return Step(name=re.sub(r"\\(.)", r"\1", name))


def find(path: str, obj: Any) -> list[Any]:
    """All values at the path; empty when there are none."""
    values = [obj]
    for step in parse(path):
        values = [inner for value in values for inner in _apply(step, value)]
    return values


def _apply(step: Step, value: Any) -> Iterator[Any]:
    if step.name:
        if isinstance(value, dict) and step.name in value:
            yield value[step.name]
    elif isinstance(value, list):
        if step.index is not None:
            if -len(value) <= step.index < len(value):
                yield value[step.index]
        elif step.every:
            yield from value
        else:
            yield from (item for item in value if _passes(step, item))
    elif step.every and isinstance(value, dict):
        yield from value.values()


def _passes(step: Step, item: Any) -> bool:
    values = [item]
    for inner in step.inner:
        values = [found for value in values for found in _apply(inner, value)]
    matches = any(_text(value) == step.wanted for value in values)
    return matches is step.equal


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
