"""What a controller decided to write, as values, and the one place that writes it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spiderpool.errors import AlreadyExists, KubeError, NotFound
from spiderpool.kube.api import MERGE_PATCH, Client, Informer, Object
from spiderpool.kube.resources import Resource

STRATEGIC_PATCH = "application/strategic-merge-patch+json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Create:
    """A new object; one of that name being there already is fine."""

    resource: Resource
    obj: Object


@dataclass(frozen=True, slots=True)
class Patch:
    """A merge patch of ``obj``, by default of its main resource.

    A strategic one merges lists like conditions, which others write to as well.
    """

    resource: Resource
    obj: Object
    body: Mapping[str, Any]
    subresource: str = ""
    strategic: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete exactly this object, not a later one of the same name."""

    resource: Resource
    obj: Object
    propagation: str = ""


Action = Create | Patch | Delete
Caches = Mapping[Resource, Informer]


async def carry_out(client: Client, caches: Caches, actions: Iterable[Action]) -> None:
    """Write all of it, and let the caches see the answers, so that nothing is decided twice.

    Raises KubeError; that an object or its namespace is gone meanwhile is no error.
    """
    for action in actions:
        try:
            answer = await _write(client, action)
        except (NotFound, AlreadyExists) as exc:
            log.debug("%s", exc)
            continue
        except KubeError as exc:
            if not _namespace_is_going(exc):
                raise
            return
        if answer is not None and action.resource in caches:
            caches[action.resource].observe(answer)


def _namespace_is_going(error: KubeError) -> bool:
    causes = error.details.get("causes") or []
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


async def _write(client: Client, action: Action) -> Object | None:
    if isinstance(action, Create):
        return await client.create(action.resource, action.obj)
    metadata = action.obj["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace")
    if isinstance(action, Patch):
        return await client.patch(
            action.resource,
            name,
            action.body,
            namespace,
            content_type=STRATEGIC_PATCH if action.strategic else MERGE_PATCH,
            subresource=action.subresource,
        )
    await client.delete(
        action.resource, name, namespace, uid=metadata["uid"], propagation=action.propagation
    )
    return None


def status_patch(resource: Resource, obj: Object, status: Object) -> list[Action]:
    """One patch that makes ``status`` the object's, or none when it is already.

    Fields that the new status lacks are removed.
    """
    before = obj.get("status") or {}
    if before == status:
        return []
    body = {**dict.fromkeys(before.keys() - status.keys()), **status}
    return [Patch(resource, obj, {"status": body}, "status")]
