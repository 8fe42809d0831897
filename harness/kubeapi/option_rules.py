"""What the options of a request may say: 422 with everything that is wrong (metav1, validation).

``options`` names them in messages: ``Create``, ``Update``, ``Patch``, ``Delete`` or ``List``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.kubeapi import causes
from harness.kubeapi.request import Query
from harness.kubeapi.status import Cause, bad_options

_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_POLICIES = ("Foreground", "Background", "Orphan")
_LONGEST_MANAGER = 128
_MATCH = "resourceVersionMatch"
_NOT_OLDER, _EXACT = "NotOlderThan", "Exact"


def check_write(query: Query, options: str, *, applies: bool = False) -> None:
    """Raises 422; ``applies`` is true for a server-side apply."""
    patches = _patch_causes(query, applies=applies) if options == "Patch" else ()
    _refuse(options, [*patches, *_write_causes(query)])


def _patch_causes(query: Query, *, applies: bool) -> Iterator[Cause]:
    """An apply needs to know who applies, and nothing else can be forced."""
    if applies and not query.text("fieldManager"):
        yield causes.required("fieldManager", "is required for apply patch")
    if not applies and query.text("force"):
        yield causes.forbidden_field("force", "may not be specified for non-apply patch")


def _write_causes(query: Query) -> Iterator[Cause]:
    manager = query.text("fieldManager")
    if len(manager) > _LONGEST_MANAGER:
        yield causes.too_long("fieldManager", _LONGEST_MANAGER)
    if not manager.isprintable():
        detail = "should only contain printable characters"
        yield causes.invalid_value("fieldManager", manager, detail)
    yield from dry_run_causes(query.texts("dryRun"))
    validation = query.text("fieldValidation")
    if validation not in _VALIDATIONS:
        yield causes.unsupported("fieldValidation", validation, _VALIDATIONS)


def dry_run_causes(stages: Sequence[Any]) -> Iterator[Cause]:
    if any(stage != "All" for stage in stages):
        yield causes.unsupported("dryRun", list(stages), ["All"])


def check_delete(policy: str | None, orphan: bool | None, stages: Sequence[Any]) -> None:
    """Raises 422."""
    found = []
    if policy is not None and orphan is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        found.append(causes.invalid_value("propagationPolicy", policy, detail))
    if policy is not None and policy not in _POLICIES:
        found.append(causes.unsupported("propagationPolicy", policy, (*_POLICIES, "nil")))
    _refuse("Delete", [*found, *dry_run_causes(stages)])


def check_list(query: Query) -> None:
    """Raises 422 for options that contradict each other, of a list or of a watch."""
    _refuse("List", [*(_watch_causes(query) if query.flag("watch") else _list_causes(query))])


def _list_causes(query: Query) -> Iterator[Cause]:
    match, revision = query.text(_MATCH), query.text("resourceVersion")
    if match:
        yield from _match_causes(query, bool(revision), "resourceVersion is provided")
        if match not in (_EXACT, _NOT_OLDER):
            yield causes.unsupported(_MATCH, match, (_EXACT, _NOT_OLDER, ""))
        if match == _EXACT and revision == "0":
            detail = f'{_MATCH} "exact" is forbidden for resourceVersion "0"'
            yield causes.forbidden_field(_MATCH, detail)
    if query.text("sendInitialEvents"):
        yield causes.forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _watch_causes(query: Query) -> Iterator[Cause]:
    match, initial = query.text(_MATCH), bool(query.text("sendInitialEvents"))
    if initial and match != _NOT_OLDER:
        detail = f"sendInitialEvents requires setting {_MATCH} to {_NOT_OLDER}"
        yield causes.forbidden_field(_MATCH, detail)
    if match:
        yield from _match_causes(query, initial, "sendInitialEvents is provided", " for watch")
        if match != _NOT_OLDER:
            yield causes.unsupported(_MATCH, match, (_NOT_OLDER,))


def _match_causes(query: Query, holds: bool, when: str, what: str = "") -> Iterator[Cause]:
    if not holds:
        yield causes.forbidden_field(_MATCH, f"{_MATCH} is forbidden{what} unless {when}")
    if query.text("continue"):
        yield causes.forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided")


def _refuse(options: str, found: Sequence[Cause]) -> None:
    if found:
        raise bad_options(options, *found)
