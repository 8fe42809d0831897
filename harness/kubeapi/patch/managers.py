"""Who owns which field: ``metadata.managedFields`` through updates and applies. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from harness.kubeapi.builtin.types import schema_of, zero_of
from harness.kubeapi.kinds import Kind, Schema
from harness.kubeapi.objects import Object
from harness.kubeapi.patch.fields import Path, from_fields_v1, shown, to_fields_v1
from harness.kubeapi.patch.merging import laid_over, taken_out
from harness.kubeapi.patch.ownership import Comparison, compare, named_paths, with_structs
from harness.kubeapi.patch.typed import type_problems
from harness.kubeapi.status import apply_conflict

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOBODYS = frozenset(
    ("f:metadata", f"f:{name}")
    for name in ("name", "namespace", "uid", "resourceVersion", "generation",
                 "creationTimestamp", "selfLink", "managedFields")
) | {("f:metadata",), ("f:apiVersion",), ("f:kind",)}  # fmt: skip
"""The server's own; who writes them owns nothing."""


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
        """Who applies stays the same in another version of the API."""
        version = "" if self.operation == "Apply" else self.api_version
        return self.name, self.operation, version, self.subresource


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
    order = sorted(
        managers,
        key=lambda each: (each.operation, each.time, each.name, each.api_version, each.subresource),
    )
    return [
        {
            "manager": each.name,
            "operation": each.operation,
            "apiVersion": each.api_version,
            **({"time": each.time} if each.time else {}),
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields_v1(each.paths),
            **({"subresource": each.subresource} if each.subresource else {}),
        }
        for each in order
        if each.paths
    ]


def whole_schema(kind: Kind) -> Schema:
    """The kind's schema with what those of custom resources leave out."""
    if kind.builtin:
        return kind.schema
    text = {"type": "string"}
    own = {"apiVersion": text, "kind": text, "metadata": schema_of("ObjectMeta")}
    properties = {**(kind.schema.get("properties") or {}), **own}
    return {**kind.schema, "properties": properties}


def _part(kind: Kind, obj: Object, subresource: str) -> Object:
    """What a write of this part of the object can change."""
    if not kind.has_status:
        return obj
    if subresource != "status":
        return {name: value for name, value in obj.items() if name != "status"}
    names = ("metadata", "status") if kind.builtin else ("status",)
    return {name: obj[name] for name in names if name in obj}


def _compared(kind: Kind, old: Object, new: Object, subresource: str) -> Comparison:
    parts = (_part(kind, obj, subresource) for obj in (old, new))
    found = compare(whole_schema(kind), *parts)
    return Comparison(found.added - _NOBODYS, found.modified - _NOBODYS, found.removed - _NOBODYS)


def blank(schema: Schema) -> Object:
    """What a new object is compared with: what every object of the kind has.

    A list that Go always writes is null there.
    """
    result: Object = {}
    for name, field in schema.get("x-fields", {}).items():
        inner = schema["properties"][name]
        if field.always:
            result[name] = blank(inner) if "x-go-type" in inner else zero_of(inner)
        elif name in schema.get("required", ()) and not field.pointer:
            result[name] = None
    return result


def after_update(
    kind: Kind, old: Object | None, new: Object, me: Manager, before: Iterable[Manager] = ()
) -> list[Manager]:
    """Whoever changed a field owns it, and nobody else does; what is gone nobody owns.

    An object that says nothing of its managers begins to do so with its first apply.
    """
    before = list(before)
    if old is not None and not before:
        return []
    if not kind.builtin and type_problems(whole_schema(kind), new):
        return before  # nobody can own what has no type; such an object is refused later
    found = _compared(kind, blank(kind.schema) if old is None else old, new, me.subresource)
    taken = found.changed | found.removed
    result = [replace(each, paths=each.paths - taken) for each in before]
    if not found.changed:
        return result
    last = next((each for each in result if each.identity == me.identity), me)
    others = [each for each in result if each.identity != me.identity]
    return [*others, replace(me, paths=last.paths | found.changed)]


@dataclass(frozen=True, slots=True)
class Applied:
    obj: Object
    managers: list[Manager]


def after_apply(
    kind: Kind, live: Object | None, config: Object, me: Manager, *, force: bool
) -> Applied:
    """Lay the configuration over the live object, take out what this manager gave up.

    Raises 409 when other managers own what would change, unless ``force`` takes it from them.
    """
    schema, base = whole_schema(kind), blank(kind.schema) if live is None else live
    managers = managers_of(base) or ([_before(kind, base)] if live else [])
    others = [each for each in managers if each.identity != me.identity]
    last = next((each for each in managers if each.identity == me.identity), None)
    wanted = named_paths(schema, _part(kind, config, me.subresource))
    foreign = set().union(*(each.paths for each in others))
    merged = _pruned(
        schema, laid_over(schema, base, config), last.paths if last else (), wanted | foreign
    )
    found = _compared(kind, base, merged, me.subresource)
    conflicts = [(each, each.paths & found.changed) for each in others]
    if not force and any(paths for _, paths in conflicts):
        raise apply_conflict(
            {_described(each): [shown(path) for path in sorted(paths)]
             for each, paths in conflicts if paths}
        )  # fmt: skip
    mine = replace(me, paths=frozenset(wanted - _NOBODYS))
    if not (found.changed or found.removed):
        mine = replace(mine, time=last.time if last else "")
    taken = found.changed | found.removed
    left = [replace(each, paths=each.paths - taken) for each in others]
    return Applied(_with_last_applied(merged, config, me), [*left, mine])


def _with_last_applied(merged: Object, config: Object, me: Manager) -> Object:
    """kubectl's own applies keep the annotation right that its older kind of apply reads."""
    metadata = merged.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if me.name != "kubectl" or _LAST_APPLIED not in annotations:
        return merged
    text = orjson.dumps(config, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    return {**merged, "metadata": {**metadata, "annotations": {**annotations, _LAST_APPLIED: text}}}


def _pruned(schema: Schema, merged: Object, last: Iterable[Path], wanted: set[Path]) -> Object:
    """Without what was applied before and is wanted by nobody now.

    What is taken out takes everything in it along, so what others want is put back; and so is
    what was never applied.
    """
    given_up = with_structs(schema, last)
    if not given_up:
        return merged

    def present(obj: Object) -> set[Path]:
        return with_structs(schema, named_paths(schema, obj or {}))

    whole, owned = present(merged), with_structs(schema, wanted)
    left = present(taken_out(schema, merged, given_up))
    left = present(taken_out(schema, merged, whole - left - owned))
    pruned: Object = taken_out(schema, merged, (whole - left) & given_up) or {}
    return pruned


def _before(kind: Kind, live: Object) -> Manager:
    """Stands for whoever made an object that says nothing of its managers."""
    maker = Manager("before-first-apply", "Update", kind.api_version)
    found = after_update(kind, None, live, maker)
    return found[0] if found else maker


def _described(manager: Manager) -> str:
    """How a conflict names a manager; an apply is meant when nothing else is said."""
    via = f' with subresource "{manager.subresource}"' if manager.subresource else ""
    using = "" if manager.operation == "Apply" else f" using {manager.api_version}"
    return f'"{manager.name}"{via}{using}'
