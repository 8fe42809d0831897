"""Label and field selectors, as far as the fake API needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from spiderpool.errors import KubeError
from spiderpool.kube.api import Object

Matches = Callable[[Object], bool]

_TERM = re.compile(
    r"\s*(?P<not>!)?(?P<key>[\w./-]+)\s*"
    r"(?:(?P<op>==|!=|=)\s*(?P<value>[\w.:/-]*)|(?P<set>in|notin)\s*\((?P<values>[^)]*)\))?\s*"
)


def matcher(label_selector: str, field_selector: str) -> Matches:
    """Whether an object matches both selectors; an empty one matches everything.

    Raises:
        KubeError: 400, when a selector cannot be read.
    """
    labels = [_term(text) for text in _terms(label_selector)]
    fields = [_term(text) for text in _terms(field_selector)]

    def matches(obj: Object) -> bool:
        own_labels = (obj.get("metadata") or {}).get("labels") or {}
        return all(term(own_labels.get) for term in labels) and all(
            term(lambda path: _field(obj, path)) for term in fields
        )

    return matches


Lookup = Callable[[str], Any]


def _terms(selector: str) -> list[str]:
    return re.split(r",(?![^(]*\))", selector) if selector.strip() else []


def _term(text: str) -> Callable[[Lookup], bool]:
    found = _TERM.fullmatch(text)
    if found is None:
        raise KubeError(400, "BadRequest", f"unable to parse the selector {text!r}")
    key, operator = found["key"], found["op"] or found["set"]
    values = {value.strip() for value in (found["values"] or found["value"] or "").split(",")}
    if operator is None:
        wanted = not found["not"]
        return lambda lookup: (lookup(key) is not None) == wanted
    positive = operator in ("=", "==", "in")
    return lambda lookup: (lookup(key) in values) == positive


def _field(obj: Mapping[str, Any], path: str) -> str:
    """A missing field compares as the empty string."""
    value: Any = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
