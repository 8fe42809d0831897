"""What every API object carries, and what a kind says of itself."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from spiderpool.types.codec import Rule, Schema, decode

GROUP = "spiderpool.spidernet.io"
VERSION = "v2beta1"
FINALIZER = GROUP
"""Keeps an object until whoever depends on it has let go; always comes off."""

LINK_NAME = Rule(
    r"self.matches('^[^\\x00-\\x20\\x7f/:]+$') && !(self in ['.', '..'])",
    "must be the name of a NIC: without blanks, '/' and ':'",
)
"""Of a link's name, as the kernel allows it (dev_valid_name); its length is said apart."""

GATEWAY_IS_IP = Rule(
    "isIP(self.gw)",
    "must be an IP, like 10.6.0.1",
    "gw",
    "self.gw + ' must be an IP, like 10.6.0.1'",
)
ONE_FAMILY = "dst and gw must be of one family"
"""Of a route."""


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column of ``kubectl get``; ``priority`` above 0 shows with ``-o wide`` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How the API serves one kind (the CRD's names, scope and columns)."""

    kind: str
    plural: str
    short: str
    group: str = GROUP
    version: str = VERSION
    categories: tuple[str, ...] = ("spiderpool",)
    namespaced: bool = False
    status_subresource: bool = False
    columns: tuple[Column, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"

    def where(self, obj: Mapping[str, Any]) -> str:
        """The object's name as errors write it: ``SpiderMultusConfig default/macvlan-ens192``."""
        metadata = obj.get("metadata") or {}
        namespace = metadata.get("namespace")
        name = metadata.get("name") or "(no name)"
        return f"{self.kind} {namespace}/{name}" if namespace else f"{self.kind} {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerReference:
    """``metadata.ownerReferences[]``."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The part of ``metadata`` that decisions are made on; times are RFC 3339 text."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: str = ""
    deletion_timestamp: str = ""


class Operator(enum.StrEnum):
    """``matchExpressions[].operator`` of a label selector."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """``matchExpressions[]``: In and NotIn need ``values``, the others forbid them."""

    key: Annotated[str, Schema(doc="The label that is looked at.", min_length=1)]
    operator: Annotated[Operator, Schema(doc="How the label's value is compared.")]
    values: Annotated[
        tuple[str, ...], Schema(doc="For In and NotIn: the values.", max_items=256)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """Every label and every expression must match (Kubernetes' LabelSelector)."""

    MAP_TYPE: ClassVar = "atomic"

    match_labels: Annotated[
        Mapping[str, str], Schema(doc="Labels that must have exactly these values.")
    ] = field(default_factory=dict)
    match_expressions: Annotated[
        tuple[Requirement, ...], Schema(doc="Conditions that must all hold.", max_items=64)
    ] = ()

    @property
    def empty(self) -> bool:
        return not self.match_labels and not self.match_expressions


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route as API objects write it."""

    dst: Annotated[str, Schema(doc="Destination, a CIDR.", max_length=43)]
    gw: Annotated[str, Schema(doc="Next hop, an IP of the same family.", max_length=39)]


class ApiObject(Protocol):
    """A dataclass that stands for a kind."""

    KIND: ClassVar[Kind]

    @property
    def metadata(self) -> Metadata: ...


A = TypeVar("A", bound=ApiObject)


def read(cls: type[A], obj: Mapping[str, Any]) -> A:
    """The object that the API sent, as its dataclass.

    Raises:
        BadInput: naming kind, name and field.
    """
    return decode(cls, obj, cls.KIND.where(obj))
