"""Sets of fields: what a configuration names, and what differs between two objects. Pure.

Both follow what the API server does (sigs.k8s.io/structured-merge-diff, package ``typed``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.kubeapi.kinds import Schema
from harness.kubeapi.patch.fields import Path, has_field, inner_schema, is_granular, parts

_MISSING: Any = object()


def named_paths(schema: Schema, value: Any) -> set[Path]:
    """What whoever applies this value owns.

    Structs and lists are not owned themselves unless they are empty; keys of maps and items of
    lists are, beside what they hold.
    """
    return set(_walk(schema, value, ()))


def _walk(schema: Schema, value: Any, path: Path) -> Iterator[Path]:
    if not is_granular(schema, value):
        if path:
            yield path
        return
    for part, (known, inner) in parts(schema, value).items():
        at = (*path, part)
        if not has_field(schema, part[2:]) or inner in (None, {}):
            yield at
        if inner is not None or part[0] != "f":
            yield from _walk(known, inner, at)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paths by what became of them; parents come and go as their parts do."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    @property
    def changed(self) -> set[Path]:
        return self.added | self.modified


def compare(schema: Schema, old: Any, new: Any) -> Comparison:
    """How ``new`` differs from ``old``."""
    found = Comparison()
    _compare(schema, old, new, (), found)
    return found


def _compare(schema: Schema, old: Any, new: Any, path: Path, found: Comparison) -> None:
    if path and old is _MISSING:
        found.added.add(path)
    elif path and new is _MISSING:
        found.removed.add(path)
    elif not _are_granular(schema, old, new):
        if old != new:
            found.modified.add(path)
        return
    if _are_granular(schema, old, new):
        before, after = _parts(schema, old), _parts(schema, new)
        for part in before.keys() | after.keys():
            inner = inner_schema(schema, part)
            pair = before.get(part, _MISSING), after.get(part, _MISSING)
            _compare(inner, *pair, (*path, part), found)


def _are_granular(schema: Schema, old: Any, new: Any) -> bool:
    """Something is to be compared part by part, and nothing stands against that."""
    given = [value for value in (old, new) if value is not _MISSING and value is not None]
    return any(given) and all(is_granular(schema, value) for value in given)


def _parts(schema: Schema, value: Any) -> dict[str, Any]:
    if value is _MISSING or value is None:
        return {}
    return {part: inner for part, (_, inner) in parts(schema, value).items()}


def with_structs(schema: Schema, paths: Iterable[Path]) -> set[Path]:
    """The paths and the fields of structs that lead to them, which nobody owns as such."""
    result = set(paths)
    for path in frozenset(result):
        known = schema
        for depth, part in enumerate(path[:-1], 1):
            if part[0] == "f" and has_field(known, part[2:]):
                result.add(path[:depth])
            known = inner_schema(known, part)
    return result
