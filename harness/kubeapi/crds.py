"""CustomResourceDefinitions: their defaults, their own rules, and the kinds they define.

All pure; ``definitions.py`` acts on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.kubeapi import causes
from harness.kubeapi.kinds import Column, Kind, ScalePaths
from harness.kubeapi.objects import Object, timestamp
from harness.kubeapi.schema.rules import structural_causes
from harness.kubeapi.status import Cause

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


def set_defaults(crd: Object) -> None:
    """Complete names and conversion, in place."""
    spec = crd.get("spec") or {}
    names = spec.get("names")
    if not isinstance(names, dict):
        return
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", names["kind"] + "List")
    spec.setdefault("conversion", {"strategy": "None"})


def crd_causes(crd: Object) -> list[Cause]:
    """What is wrong with a definition."""
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    return [
        *_naming_causes(crd, spec, names),
        *_version_causes(spec.get("versions") or []),
    ]


def _naming_causes(crd: Object, spec: Object, names: Object) -> Iterator[Cause]:
    wanted = f"{names.get('plural', '')}.{spec.get('group', '')}"
    name = crd["metadata"]["name"]
    if name != wanted:
        detail = 'must be spec.names.plural+"."+spec.group'
        yield causes.invalid_value("metadata.name", name, detail)
    if not spec.get("group"):
        yield causes.required("spec.group")
    elif "." not in spec["group"]:
        detail = "should be a domain with at least one dot"
        yield causes.invalid_value("spec.group", spec["group"], detail)
    scope = spec.get("scope")
    if not scope:
        yield causes.required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield causes.unsupported("spec.scope", scope, ("Cluster", "Namespaced"))
    for field in ("plural", "kind"):
        if not names.get(field):
            yield causes.required(f"spec.names.{field}")


def _version_causes(versions: list[Object]) -> Iterator[Cause]:
    if sum(bool(version.get("storage")) for version in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        listed = [version.get("name") for version in versions]
        yield causes.invalid_value("spec.versions", listed, detail)
    names = [version.get("name") for version in versions]
    if len(set(names)) < len(names):
        yield causes.invalid_value("spec.versions", names, "must contain unique version names")
    for index, version in enumerate(versions):
        where = "spec" if len(versions) == 1 else f"spec.versions[{index}]"
        yield from _column_causes(version, where)
        field = f"spec.versions[{index}].schema.openAPIV3Schema"
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if not schema:
            yield causes.required(field, "schemas are required")
            continue
        # The schema of an only version is told of by its name in older definitions.
        single = len(versions) == 1
        where = "spec.validation.openAPIV3Schema" if single else field
        yield from structural_causes(schema, where)


_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")


def _column_causes(version: Object, where: str) -> Iterator[Cause]:
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        field = f"{where}.additionalPrinterColumns[{index}]"
        if not column.get("name"):
            yield causes.required(f"{field}.name")
        if column.get("type") not in _COLUMN_TYPES:
            detail = f"must be one of {','.join(_COLUMN_TYPES)}"
            yield causes.invalid_value(f"{field}.type", column.get("type") or "", detail)
        path = column.get("jsonPath") or ""
        if not path:
            yield causes.required(f"{field}.JSONPath")
        elif not path.startswith("."):
            detail = "must be a simple json path starting with ."
            yield causes.invalid_value(f"{field}.JSONPath", path, detail)


def kinds_of(crd: Object) -> list[Kind]:
    """One kind for each served version."""
    spec = crd["spec"]
    stored = next(version["name"] for version in spec["versions"] if version.get("storage"))
    return [_kind(spec, version, stored) for version in spec["versions"] if version.get("served")]


def _kind(spec: Object, version: Object, stored: str) -> Kind:
    names, subresources = spec["names"], version.get("subresources") or {}
    scale = subresources.get("scale")
    return Kind(
        group=spec["group"],
        version=version["name"],
        name=names["kind"],
        plural=names["plural"],
        namespaced=spec["scope"] == "Namespaced",
        schema=version["schema"]["openAPIV3Schema"],
        builtin=False,
        singular=names["singular"],
        list_kind=names["listKind"],
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        has_status="status" in subresources,
        scale=_scale(scale) if scale else None,
        columns=tuple(_column(column) for column in version.get("additionalPrinterColumns") or ()),
        selectable=tuple(
            field["jsonPath"].lstrip(".") for field in version.get("selectableFields") or ()
        ),
        unconditional_update=False,
        storage_version=stored,
        deprecation=_deprecation(spec, version),
    )


def _deprecation(spec: Object, version: Object) -> str:
    if not version.get("deprecated"):
        return ""
    plain = f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"
    return str(version.get("deprecationWarning") or plain)


def _scale(scale: Object) -> ScalePaths:
    return ScalePaths(
        scale["specReplicasPath"],
        scale["statusReplicasPath"],
        scale.get("labelSelectorPath") or "",
    )


def _column(column: Object) -> Column:
    return Column(
        name=column["name"],
        type=column["type"],
        format=column.get("format") or "",
        priority=column.get("priority") or 0,
        description=column.get("description") or "",
        path=column["jsonPath"],
    )


def taken_name(crd: Object, others: Iterable[Object]) -> str:
    """A name that another definition of the group had first, or empty."""
    spec = crd["spec"]
    mine = _names(spec["names"])
    for other in others:
        accepted = (other.get("status") or {}).get("acceptedNames") or {}
        if other["spec"]["group"] == spec["group"] and mine & _names(accepted):
            return min(mine & _names(accepted))
    return ""


def _names(names: Object) -> set[str]:
    named = {names.get(field) or "" for field in ("plural", "singular", "kind", "listKind")}
    return (named | set(names.get("shortNames") or ())) - {""}


def established_status(crd: Object, taken: str = "") -> Object:
    """The status of an accepted definition, or of one whose name ``taken`` is in use."""
    spec = crd["spec"]
    before = crd.get("status") or {}
    accepted = not taken
    conditions = [
        _condition("NamesAccepted", accepted, "NoConflicts" if accepted else "NameConflict",
                   "no conflicts found" if accepted else f'"{taken}" is already in use'),
        _condition("Established", accepted, "InitialNamesAccepted" if accepted else "NotAccepted",
                   "the initial names have been accepted" if accepted
                   else "not all names are accepted"),
    ]  # fmt: skip
    kept = {condition["type"]: condition for condition in before.get("conditions") or []}
    for condition in conditions:
        same = kept.get(condition["type"], {}).get("status") == condition["status"]
        kept[condition["type"]] = kept[condition["type"]] if same else condition
    stored = next(version["name"] for version in spec["versions"] if version.get("storage"))
    return {
        "conditions": list(kept.values()),
        "acceptedNames": spec["names"] if accepted else {"plural": "", "kind": ""},
        "storedVersions": list(dict.fromkeys([*(before.get("storedVersions") or []), stored])),
    }


def terminating_status(crd: Object) -> Object:
    before = crd.get("status") or {}
    condition = _condition(
        "Terminating", True, "InstanceDeletionInProgress",
        "CustomResource deletion is in progress",
    )  # fmt: skip
    kept = [old for old in before.get("conditions") or [] if old["type"] != "Terminating"]
    return {**before, "conditions": [*kept, condition]}


def is_terminating(crd: Object) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or []
    return any(condition["type"] == "Terminating" for condition in conditions)


def _condition(kind: str, holds: bool, reason: str, message: str) -> Object:
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "lastTransitionTime": timestamp(),
        "reason": reason,
        "message": message,
    }
