"""What an object must have before we work with it, and our finalizer at its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spiderpool.controller.admission.defaults import defaulted
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import Resource
from spiderpool.types.metadata import FINALIZER


async def completed(
    client: Client,
    resource: Resource,
    obj: Object,
    informer: Informer,
    subnets: Iterable[Object] = (),
) -> Object:
    """The object as the webhook leaves it, finalizer included, also when none was asked.
    A pool may be of one of ``subnets``.

    Raises Conflict when it changed meanwhile.
    """
    wanted, _ = defaulted(resource.plural, obj, subnets)
    changes = {
        member: changed
        for member in ("metadata", "spec")
        if (changed := _changed(obj.get(member) or {}, wanted.get(member) or {}))
    }
    if not changes:
        return obj
    written = await _patch(client, resource, obj, changes)
    informer.observe(written)
    return written


def _changed(old: Object, new: Object) -> dict[str, Any]:
    return {key: value for key, value in new.items() if old.get(key) != value}


async def let_go(client: Client, resource: Resource, obj: Object) -> None:
    """Take the finalizer off, so that a deletion can end. Raises Conflict."""
    finalizers = obj["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        return
    rest = [finalizer for finalizer in finalizers if finalizer != FINALIZER]
    try:
        await _patch(client, resource, obj, {"metadata": {"finalizers": rest}})
    except NotFound:
        return


async def _patch(
    client: Client, resource: Resource, obj: Object, changes: dict[str, Any]
) -> Object:
    """A patch and no update: an object that today's schema refuses must go all the same."""
    metadata = obj["metadata"]
    version = {"resourceVersion": metadata["resourceVersion"]}
    body = changes | {"metadata": changes.get("metadata", {}) | version}
    return await client.patch(resource, metadata["name"], body, metadata.get("namespace"))
