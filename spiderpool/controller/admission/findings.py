"""What the rules find wrong with an object, and what they only warn of."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from spiderpool.controller.admission.poolbook import PoolBook
from spiderpool.errors import BadInput
from spiderpool.ipam.ledger import Entry
from spiderpool.types.names import PoolName

T = TypeVar("T")
Object = dict[str, Any]


class Reason(enum.StrEnum):
    """``details.causes[].reason`` of a Status."""

    INVALID = "FieldValueInvalid"
    REQUIRED = "FieldValueRequired"
    FORBIDDEN = "FieldValueForbidden"
    DUPLICATE = "FieldValueDuplicate"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse: the field, and what is wrong with it and what to do."""

    field: str
    message: str
    reason: Reason = Reason.INVALID

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


@dataclass(slots=True)
class Findings:
    """Collected while rules look at one object; all problems are told, not the first only."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(
        self, where: str, problem: str, remedy: str, reason: Reason = Reason.INVALID
    ) -> None:
        """``problem`` says what is wrong with the field, ``remedy`` the way out."""
        self.problems.append(Problem(where, problem + (f"; {remedy}" if remedy else ""), reason))

    def warn(self, warning: str) -> None:
        """Something that is accepted and probably not meant."""
        self.warnings.append(warning)

    def attempt(self, read: Callable[..., T], *args: Any) -> T | None:
        """What ``read`` returns; its BadInput becomes a problem, and None is returned."""
        try:
            return read(*args)
        except BadInput as exc:
            where = exc.where.partition(": ")[2] or exc.where
            self.refuse(where, exc.problem, exc.remedy)
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What rules ask of the cluster.

    ``families``: 4 and 6 as far as they are enabled; ``nodes``: node name -> its addresses;
    ``namespaces`` by name; ``held``: addresses in use of a pool.
    """

    pools: PoolBook = field(default_factory=PoolBook)
    subnets: tuple[Object, ...] = ()
    networks: tuple[Object, ...] = ()
    nodes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    namespaces: Mapping[str, Object] = field(default_factory=dict)
    held: Callable[[PoolName], list[Entry]] = lambda pool: []
    families: frozenset[int] = frozenset({4, 6})
    guard_deletion: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One write: ``old`` is None for a creation, ``new`` for a deletion; ``manager`` is the field
    manager that the writer names itself (Kubernetes "Server-Side Apply", Managers)."""

    old: Object | None
    new: Object | None
    manager: str = ""
