"""What happens between decoding and storing: the seam where webhooks take part.

An ``Admission`` first may change the object of an ``Attempt``, later may refuse it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from harness.kubeapi import status
from harness.kubeapi.kinds import Kind
from harness.kubeapi.objects import Object
from harness.kubeapi.status import Cause


class Operation(enum.StrEnum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write that is about to happen; ``obj`` is None for a deletion, ``old`` for a creation."""

    operation: Operation
    kind: Kind
    namespace: str
    name: str
    obj: Object | None
    old: Object | None
    subresource: str = ""
    dry_run: bool = False
    field_manager: str = ""


class Admission(Protocol):
    async def change(self, attempt: Attempt) -> tuple[Object | None, list[str]]:
        """The object to go on with, and warnings. Raises ApiError to refuse."""
        ...

    async def check(self, attempt: Attempt) -> list[str]:
        """Warnings. Raises ApiError to refuse."""
        ...


def check_namespace(kind: Kind, name: str, namespace: str, found: Object | None) -> None:
    """A new object needs a namespace that exists (404) and is not going away (403)."""
    if found is None:
        raise status.not_found("namespaces", "", namespace)
    if not found["metadata"].get("deletionTimestamp"):
        return
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    message = f"namespace {namespace} is being terminated"
    cause = Cause("NamespaceTerminating", message, "metadata.namespace")
    raise status.forbidden(kind.plural, kind.group, name, why, cause)
