"""What the server knows of one kind in one version: a row of its registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``; ``priority`` above 0 is shown with ``-o wide`` only.

    ``path`` is the JSONPath of a custom resource's column; built-in kinds have code.
    """

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the scale subresource finds its numbers, as dotted paths."""

    spec: str = ".spec.replicas"
    status: str = ".status.replicas"
    selector: str = ".status.labelSelector"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind as one API version serves it."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool
    schema: Schema = field(repr=False)
    builtin: bool = True
    singular: str = ""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    has_generation: bool = True
    scale: ScalePaths | None = None
    subresources: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = ()
    create_on_update: bool = False
    unconditional_update: bool = True
    storage_version: str = ""
    returns_deleted: bool = False
    deleted_together: bool = True
    deprecation: str = ""
    orphans: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def bucket(self) -> str:
        """Where all versions of the kind are stored: ``plural.group``."""
        return f"{self.plural}.{self.group}"

    @property
    def list_name(self) -> str:
        return self.list_kind or f"{self.name}List"

    @property
    def singular_name(self) -> str:
        return self.singular or self.name.lower()
