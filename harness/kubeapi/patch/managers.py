"""Who owns which field: ``metadata.managedFields`` through updates and applies. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from harness.kubeapi.builtin.types import schema_of
from harness.kubeapi.kinds import Kind, Schema
from harness.kubeapi.objects import Object
from harness.kubeapi.patch.fields import Path, from_fields_v1, leaves, shown, to_fields_v1
from harness.kubeapi.patch.merging import laid_over, taken_out
from harness.kubeapi.status import apply_conflict

_SERVER_OWNED = (
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink",
    "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "generateName",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry: who, by which operation, in which version and subresource, owns what."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""
    time: str = ""
    paths: frozenset[Path] = frozenset()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return self.name, self.operation, self.api_version, self.subresource


def managers_of(obj: Object) -> list[Manager]:
    return [
        Manager(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
            entry.get("time", ""),
            frozenset(from_fields_v1(entry.get("fieldsV1") or {})),
        )
        for entry in (obj.get("metadata") or {}).get("managedFields") or []
    ]


def entries(managers: Iterable[Manager]) -> list[Object]:
    """``managedFields``: applies first, then by time, as the API server sorts them."""
    order = sorted(managers, key=lambda each: (each.operation != "Apply", each.time, each.name))
    return [
        {
            "manager": each.name,
            "operation": each.operation,
            "apiVersion": each.api_version,
            "time": each.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields_v1(each.paths),
            **({"subresource": each.subresource} if each.subresource else {}),
        }
        for each in order
        if each.paths
    ]


def whole_schema(kind: Kind) -> Schema:
    """The kind's schema with metadata, which those of custom resources leave out."""
    if kind.builtin:
        return kind.schema
    properties = {**(kind.schema.get("properties") or {}), "metadata": schema_of("ObjectMeta")}
    return {**kind.schema, "properties": properties}


def owned(kind: Kind, obj: Object, subresource: str = "") -> dict[Path, Any]:
    """What a write of this part of the object can own."""
    metadata = {
        name: value
        for name, value in (obj.get("metadata") or {}).items()
        if name not in _SERVER_OWNED
    }
    rest = {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}
    if kind.has_status and subresource != "status":
        rest.pop("status", None)
    if kind.has_status and subresource == "status" and not kind.builtin:
        rest = {"status": rest.get("status") or {}}
        metadata = {}
    return leaves(whole_schema(kind), {**rest, "metadata": metadata} if metadata else _bare(rest))


def _bare(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name != "metadata"}


def after_update(kind: Kind, old: Object | None, new: Object, me: Manager) -> list[Manager]:
    """Whoever changed a field owns it, and nobody else does; what is gone nobody owns."""
    before = owned(kind, old, me.subresource) if old else {}
    after = owned(kind, new, me.subresource)
    changed = {path for path, value in after.items() if before.get(path, _NOTHING) != value}
    removed = before.keys() - after.keys()
    result, mine = [], me
    for each in managers_of(old) if old else []:
        if each.identity == me.identity:
            mine = replace(each, paths=(each.paths | changed) - removed)
            mine = mine if mine.paths == each.paths else replace(mine, time=me.time)
        else:
            result.append(replace(each, paths=each.paths - changed - removed))
    if mine is me:
        mine = replace(me, paths=frozenset(changed))
    return [*result, mine]


_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Applied:
    obj: Object
    managers: list[Manager]


def after_apply(kind: Kind, live: Object, config: Object, me: Manager, *, force: bool) -> Applied:
    """Lay the configuration over the live object, take out what this manager gave up.

    Raises 409 when other managers own what would change, unless ``force`` takes it from them.
    """
    schema = whole_schema(kind)
    managers = managers_of(live) or [_before(kind, live, me)]
    others = [each for each in managers if each.identity != me.identity]
    last = next((each for each in managers if each.identity == me.identity), None)
    wanted = owned(kind, config, me.subresource)
    foreign = set().union(*(each.paths for each in others))
    given_up = (last.paths if last else frozenset()) - wanted.keys() - foreign
    # A field stays when others own something in it; an item goes with all that it holds.
    kept = {path for path in given_up if path[-1][:2] == "f:" and _holds(path, foreign)}
    merged = taken_out(schema, laid_over(schema, live, config), given_up - kept)
    before, after = owned(kind, live, me.subresource), owned(kind, merged, me.subresource)
    changed = {path for path, value in after.items() if before.get(path, _NOTHING) != value}
    removed = before.keys() - after.keys()
    conflicts = [(each, each.paths & changed) for each in others if each.paths & changed]
    if conflicts and not force:
        raise apply_conflict(
            {_described(each): [shown(path) for path in sorted(paths)] for each, paths in conflicts}
        )
    mine = replace(me, paths=frozenset(wanted))
    if last and last.paths == mine.paths:
        mine = last
    left = [replace(each, paths=each.paths - changed - removed) for each in others]
    return Applied(merged, [*left, mine])


def _before(kind: Kind, live: Object, me: Manager) -> Manager:
    """Stands for whoever made an object that says nothing of its managers."""
    paths = frozenset(owned(kind, live, me.subresource))
    return Manager("before-first-apply", "Update", kind.api_version, "", me.time, paths)


def first_applied(kind: Kind, config: Object, me: Manager) -> Manager:
    """The manager of a configuration that makes a new object."""
    return replace(me, paths=frozenset(owned(kind, config, me.subresource)))


def _holds(path: Path, others: Iterable[Path]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in others)


def _described(manager: Manager) -> str:
    """How a conflict names a manager; an apply is meant when nothing else is said."""
    via = f' with subresource "{manager.subresource}"' if manager.subresource else ""
    using = "" if manager.operation == "Apply" else f" using {manager.api_version}"
    return f'"{manager.name}"{via}{using}'
