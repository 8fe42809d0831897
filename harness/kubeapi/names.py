"""Names, labels and owner references: the rules that hold for the metadata of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from harness.kubeapi import causes
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
_QUALIFIED_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
    "used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_ANNOTATION_BYTES = 256 * 1024
_LABEL_NAMED = {"Namespace", "Service"}
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


def metadata_causes(kind: str, obj: Object) -> list[Cause]:
    """What is wrong with the object's metadata."""
    metadata = obj["metadata"]
    found = [*name_causes(kind, metadata["name"])]
    found += labels_causes(metadata.get("labels") or {}, "metadata.labels")
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        found += _key_causes(key.lower(), key, "metadata.annotations")
    if sum(len(key) + len(value) for key, value in annotations.items()) > _ANNOTATION_BYTES:
        found.append(causes.too_long("metadata.annotations", _ANNOTATION_BYTES))
    found += _finalizer_causes(metadata.get("finalizers") or [])
    found += _owner_causes(metadata.get("ownerReferences") or [])
    return found


def labels_causes(labels: dict[str, Any], field: str) -> Iterator[Cause]:
    for key, value in labels.items():
        yield from _key_causes(key, key, field)
        if value and (not _QUALIFIED.fullmatch(value) or len(value) > 63):
            rule = _VALUE_RULE if len(value) <= 63 else "must be no more than 63 bytes"
            yield causes.invalid_value(field, value, rule)


def _key_causes(checked: str, key: str, field: str) -> Iterator[Cause]:
    prefix, slash, name = checked.rpartition("/")
    if slash and not (prefix and _SUBDOMAIN.fullmatch(prefix)):
        yield causes.invalid_value(field, key, f"prefix part {SUBDOMAIN_RULE}")
    if not name:
        yield causes.invalid_value(field, key, "name part must be non-empty")
    elif not _QUALIFIED.fullmatch(name):
        yield causes.invalid_value(field, key, _QUALIFIED_RULE)
    elif len(name) > 63:
        yield causes.invalid_value(field, key, "name part must be no more than 63 bytes")


def _finalizer_causes(finalizers: list[str]) -> Iterator[Cause]:
    known = ("foregroundDeletion", "orphan", "kubernetes")
    for index, finalizer in enumerate(finalizers):
        field = f"metadata.finalizers[{index}]"
        yield from _key_causes(finalizer, finalizer, field)
        if "/" not in finalizer and finalizer not in known and "." not in finalizer:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            yield causes.invalid_value(field, finalizer, detail)


def _owner_causes(references: list[Object]) -> Iterator[Cause]:
    for index, reference in enumerate(references):
        field = f"metadata.ownerReferences[{index}]"
        for name in ("apiVersion", "kind", "name", "uid"):
            if not reference.get(name):
                yield causes.invalid_value(f"{field}.{name}", "", "must not be empty")
    if sum(bool(reference.get("controller")) for reference in references) > 1:
        shown = causes.shown([reference.get("name") for reference in references])
        yield Cause(
            "FieldValueInvalid",
            f"Invalid value: {shown}: Only one reference can have Controller set to true",
            "metadata.ownerReferences",
        )
