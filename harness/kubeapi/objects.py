"""Kubernetes objects as plain dictionaries, and the few things that all of them share.

Objects in the store are never changed in place: whoever wants another value takes a
``clone`` and stores that.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson

Object = dict[str, Any]

# The letters of generated names: no vowels (no words), nothing that looks like another.
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_GENERATED_LENGTH = 5
_LONGEST_PREFIX = 63 - _GENERATED_LENGTH


def clone(obj: Object) -> Object:
    """A deep copy of a JSON object."""
    copy: Object = orjson.loads(orjson.dumps(obj))
    return copy


def meta(obj: Object) -> Object:
    """The object's ``metadata``, added when it is missing or not an object."""
    found = obj.get("metadata")
    if not isinstance(found, dict):
        found = obj["metadata"] = {}
    return found


def key_of(obj: Object) -> tuple[str, str]:
    """(namespace, name); the namespace is empty for cluster-scoped objects."""
    metadata = obj.get("metadata") or {}
    return metadata.get("namespace") or "", metadata.get("name") or ""


def timestamp(moment: datetime | None = None) -> str:
    """RFC 3339 in UTC with whole seconds, as ``metav1.Time`` is written."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_uid() -> str:
    return str(uuid.uuid4())


def generated_name(prefix: str) -> str:
    """``metadata.generateName`` completed by five random letters."""
    suffix = "".join(secrets.choice(_NAME_LETTERS) for _ in range(_GENERATED_LENGTH))
    return prefix[:_LONGEST_PREFIX] + suffix


def owner_uids(obj: Object) -> list[str]:
    references = (obj.get("metadata") or {}).get("ownerReferences") or []
    return [reference["uid"] for reference in references]
