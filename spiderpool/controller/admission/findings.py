"""What the rules find wrong with an object, and what they only warn of."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from spiderpool.errors import BadInput
from spiderpool.ipam.ledger import Entry
from spiderpool.ipam.pools import Pool, read_pool
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


class PoolReader:
    """Reads each version of a pool once: a cluster has thousands, and every write asks for all.

    An informer replaces its objects and never changes one, so identity tells versions apart.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Object, Pool | None]] = {}

    def __call__(self, objects: Iterable[Object]) -> list[Pool]:
        """One that cannot be read gives no address and is in nobody's way."""
        known = self._known
        self._known = {id(obj): known.get(id(obj)) or (obj, _readable(obj)) for obj in objects}
        return [pool for _, pool in self._known.values() if pool is not None]


def _readable(obj: Object) -> Pool | None:
    try:
        return read_pool(obj)
    except BadInput:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What rules ask of the cluster.

    ``families``: 4 and 6 as far as they are enabled; ``nodes``: node name -> its addresses;
    ``namespaces`` by name; ``held``: addresses in use of a pool.
    """

    pools: tuple[Object, ...] = ()
    subnets: tuple[Object, ...] = ()
    networks: tuple[Object, ...] = ()
    nodes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    namespaces: Mapping[str, Object] = field(default_factory=dict)
    held: Callable[[PoolName], list[Entry]] = lambda pool: []
    families: frozenset[int] = frozenset({4, 6})
    guard_deletion: bool = False
    pool_reader: PoolReader = field(default_factory=PoolReader)

    def readable_pools(self) -> list[Pool]:
        """Every pool but those that cannot be read."""
        return self.pool_reader(self.pools)


@dataclass(frozen=True, slots=True)
class Request:
    """One write: ``old`` is None for a creation, ``new`` for a deletion."""

    old: Object | None
    new: Object | None
