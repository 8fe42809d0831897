"""What components may ask of the Kubernetes API, as protocols.

Objects are plain dictionaries, as JSON has them: model classes cost milliseconds per
object, and unknown fields must survive a read and a write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from spiderpool.kube.resources import Resource

Object = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

LARGEST_PAGE = 16 << 20
PART_OF_LIST = 100
"""Objects of a list that come in one answer: the JSON of the largest ones (pods, pools with
a long status) takes no more than about 10 ms to read, and so holds nobody up."""


class Client(Protocol):
    """Requests to the API. Every method raises the ``KubeError`` that the Status means."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object: ...

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Object:
        """The list object: ``items`` and ``metadata.resourceVersion``."""
        ...

    def list_parts(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        most: int = PART_OF_LIST,
    ) -> AsyncIterator[Object]:
        """The same list as of one moment, ``most`` items at a time; at least one part.

        Raises Gone when the server has forgotten that moment before the last part.
        """
        ...

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncIterator[Object]:
        """Watch events ``{"type", "object"}``; ends when the server closes, or has been silent
        for so long that nobody can tell whether it is there. Raises Gone."""
        ...

    async def page(
        self, path: str, query: Mapping[str, str] | None = None, *, most: int = LARGEST_PAGE
    ) -> bytes:
        """The first ``most`` bytes of what is no object: /version, a log, a pod's own page by
        the API server's proxy (:mod:`spiderpool.kube.paths`)."""
        ...

    async def create(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        """POST; with ``dry_run`` everything is checked and nothing is stored."""
        ...

    async def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        """PUT; a stale ``metadata.resourceVersion`` raises Conflict."""
        ...

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
        field_manager: str = "",
    ) -> Object: ...

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str = "",
        grace_seconds: int | None = None,
        propagation: str = "",
    ) -> None:
        """DELETE, with ``uid`` as precondition when given. NotFound is raised, not hidden.

        ``propagation`` is Background, Foreground, Orphan, or empty for the kind's own.
        """
        ...

    async def close(self) -> None: ...


Handler = Callable[[Object | None, Object | None], None]
"""Called with (old, new): (None, new) when added, (old, None) when deleted."""


class Informer(Protocol):
    """A cache of one kind, kept by list and watch, that survives lost connections."""

    def get(self, name: str, namespace: str | None = None) -> Object | None: ...

    def all(self) -> list[Object]: ...

    def subscribe(self, handler: Handler) -> None:
        """Call ``handler`` for each change from now on, and for what is in the cache already."""
        ...

    def observe(self, obj: Object) -> None:
        """Put the answer of an own write into the cache, unless the cache is newer."""
        ...

    def synced(self) -> Awaitable[None]:
        """Returns once the first list is in the cache."""
        ...
