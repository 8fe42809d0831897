"""Names, labels and owner references: the rules that hold for the metadata of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from harness.kubeapi import causes
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object
from harness.kubeapi.status import Cause

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_DNS_LABEL = re.compile(_LABEL)
_SERVICE_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")

SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
    "regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
    "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SERVICE_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "
    "an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
    "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
    "or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
    "'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_QUALIFIED_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
    "used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_ANNOTATION_BYTES = 256 * 1024
_LABEL_NAMED = {"Namespace", "Service", "StatefulSet"}
_FREE_GROUPS = {
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "coordination.k8s.io",
    "policy",
}
_PATH_NAMED = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def name_causes(kind: str, name: str, field: str = "metadata.name") -> Iterator[Cause]:
    """Rules of a kind's names: labels, DNS-1035 labels, path segments or subdomains."""
    if kind in _PATH_NAMED:
        if name in (".", "..") or "/" in name or "%" in name:
            yield causes.invalid_value(field, name, "may not contain '/' or '%'")
        return
    if kind == "Service":
        pattern, longest, rule = _SERVICE_LABEL, 63, SERVICE_RULE
    elif kind in _LABEL_NAMED:
        pattern, longest, rule = _DNS_LABEL, 63, LABEL_RULE
    else:
        pattern, longest, rule = _SUBDOMAIN, 253, SUBDOMAIN_RULE
    if not pattern.fullmatch(name):
        yield causes.invalid_value(field, name, rule)
    if len(name) > longest:
        yield causes.invalid_value(field, name, f"must be no more than {longest} characters")


_UNNAMED = causes.required("metadata.name", "name or generateName is required")


def label_causes(name: str, field: str) -> Iterator[Cause]:
    """Rules of names that are DNS labels, such as those of containers."""
    yield from name_causes("Namespace", name, field)


def metadata_causes(kind: Kind, obj: Object) -> list[Cause]:
    """What is wrong with the object's metadata."""
    metadata = obj["metadata"]
    found = [*name_causes(kind.name, metadata["name"])] if metadata["name"] else [_UNNAMED]
    prefix = metadata.get("generateName") or ""
    if prefix:
        found += _prefix_causes(kind.name, prefix)
    found += labels_causes(metadata.get("labels") or {}, "metadata.labels")
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        found += _key_causes(key.lower(), key, "metadata.annotations")
    if sum(len(key) + len(value) for key, value in annotations.items()) > _ANNOTATION_BYTES:
        found.append(causes.too_long("metadata.annotations", _ANNOTATION_BYTES))
    found += _finalizer_causes(kind, metadata.get("finalizers") or [])
    found += _owner_causes(metadata.get("ownerReferences") or [])
    return found


def labels_causes(labels: dict[str, Any], field: str) -> Iterator[Cause]:
    for key, value in labels.items():
        yield from _key_causes(key, key, field)
        rule = value_problem(value)
        if rule:
            yield causes.invalid_value(field, value, rule)


def value_problem(value: str) -> str:
    """What is wrong with the value of a label; empty when nothing is."""
    if len(value) > 63:
        return "must be no more than 63 bytes"
    return _VALUE_RULE if value and not _QUALIFIED.fullmatch(value) else ""


def _key_causes(checked: str, key: str, field: str) -> Iterator[Cause]:
    for problem in key_problems(checked):
        yield causes.invalid_value(field, key, problem)


def key_problems(key: str) -> Iterator[str]:
    """What is wrong with a qualified name, such as the key of a label."""
    prefix, slash, name = key.partition("/")
    if "/" in name:
        yield (
            f"a valid label key {_QUALIFIED_WORDS} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        )
        return
    if not slash:
        prefix, name = "", key
    elif not prefix:
        yield "prefix part must be non-empty"
    elif not _SUBDOMAIN.fullmatch(prefix):
        yield f"prefix part {SUBDOMAIN_RULE}"
    if not name:
        yield "name part must be non-empty"
    elif len(name) > 63:
        yield "name part must be no more than 63 bytes"
    if not _QUALIFIED.fullmatch(name):
        yield f"name part {_QUALIFIED_WORDS}"


def _prefix_causes(kind: str, prefix: str) -> Iterator[Cause]:
    """A prefix may end in a dash, since more follows."""
    field = "metadata.generateName"
    whole = prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix
    for cause in name_causes(kind, whole, field):
        shown = cause.message.partition(": ")[2].partition(": ")[2]
        yield causes.invalid_value(field, prefix, shown)


def _finalizer_causes(kind: Kind, finalizers: list[str]) -> Iterator[Cause]:
    """Built-in kinds know all finalizers without a domain; others may have their own."""
    known = ("foregroundDeletion", "orphan", "kubernetes")
    free = not kind.builtin or kind.group in _FREE_GROUPS or kind.name == "Event"
    for index, finalizer in enumerate(finalizers):
        field = f"metadata.finalizers[{index}]"
        yield from _key_causes(finalizer, finalizer, "metadata.finalizers")
        if not free and "/" not in finalizer and finalizer not in known:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            yield causes.invalid_value(field, finalizer, detail)


def _owner_causes(references: list[Object]) -> Iterator[Cause]:
    field = "metadata.ownerReferences"
    for reference in references:
        group, _, version = (reference.get("apiVersion") or "").rpartition("/")
        if not version:
            yield causes.invalid_value(f"{field}.apiVersion", "", "version must not be empty")
        for name in ("kind", "name", "uid"):
            if not reference.get(name):
                yield causes.invalid_value(f"{field}.{name}", "", "must not be empty")
        if reference.get("kind") == "Event" and not group:
            detail = f"/{version}, Kind=Event is disallowed from being an owner"
            yield causes.invalid_value(field, reference, detail)
    controllers = [each["name"] for each in references if each.get("controller")]
    if len(controllers) > 1:
        first, second = controllers[:2]
        detail = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{first} and {second}"
        )
        yield causes.invalid_value(field, references, detail)
