"""Our finalizer: put on while an object lives, taken off as soon as nothing depends on it."""

from __future__ import annotations

from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import Resource
from spiderpool.types.metadata import FINALIZER


async def keep_finalizer(
    client: Client, resource: Resource, obj: Object, informer: Informer
) -> Object:
    """The object with the finalizer on it. Raises Conflict when it changed meanwhile."""
    finalizers = obj["metadata"].get("finalizers") or []
    if FINALIZER in finalizers:
        return obj
    written = await _write(client, resource, obj, [*finalizers, FINALIZER])
    informer.observe(written)
    return written


async def let_go(client: Client, resource: Resource, obj: Object) -> None:
    """Take the finalizer off, so that a deletion can end. Raises Conflict."""
    finalizers = obj["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        return
    try:
        await _write(client, resource, obj, [f for f in finalizers if f != FINALIZER])
    except NotFound:
        return


async def _write(client: Client, resource: Resource, obj: Object, finalizers: list[str]) -> Object:
    """A patch, since the object may not be valid by today's schema and still must go."""
    metadata = obj["metadata"]
    patch = {"finalizers": finalizers, "resourceVersion": metadata["resourceVersion"]}
    return await client.patch(
        resource, metadata["name"], {"metadata": patch}, metadata.get("namespace")
    )
