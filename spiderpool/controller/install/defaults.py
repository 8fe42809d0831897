"""Objects that an installation begins with: SpiderCoordinator, pools, the default network."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from spiderpool.controller.admission.defaults import DEFAULTS
from spiderpool.controller.install.merging import decide
from spiderpool.controller.install.patience import NotYet, patiently
from spiderpool.controller.webhook.registration import NAME as WEBHOOK
from spiderpool.errors import BadInput, NotFound
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import Resource

log = logging.getLogger(__name__)

RESOURCES = {
    resource.kind: resource
    for resource in (
        resources.SPIDERCOORDINATOR,
        resources.SPIDERIPPOOL,
        resources.SPIDERMULTUSCONFIG,
    )
}


def read_objects(path: Path) -> tuple[Object, ...]:
    """The objects of a JSON file, a list.

    Raises:
        BadInput: naming the file and the item.
    """
    try:
        items: Any = json.loads(path.read_text())
    except (OSError, ValueError) as exc:
        raise BadInput(str(path), f"cannot be read: {exc}") from None
    if not isinstance(items, list):
        raise BadInput(str(path), "is not a list of objects")
    for index, item in enumerate(items):
        if not isinstance(item, dict) or item.get("kind") not in RESOURCES:
            kinds = ", ".join(RESOURCES)
            raise BadInput(f"{path}: [{index}]", "is no object of ours", f"kinds are {kinds}")
    return tuple(items)


async def wait_for_controller(client: Client, name: str, namespace: str, seconds: float) -> None:
    """Until the controller completes and checks what is written. Raises BadInput, KubeError."""

    async def look() -> None:
        try:
            deployment = await client.get(resources.DEPLOYMENT, name, namespace)
            if not (deployment.get("status") or {}).get("availableReplicas"):
                raise NotYet(f"Deployment {namespace}/{name} has no available pod")
            await client.get(resources.MUTATINGWEBHOOK, WEBHOOK)
        except NotFound as exc:
            raise NotYet(str(exc)) from None

    await patiently(look, seconds, "waiting for the controller")


async def install_objects(client: Client, wishes: Iterable[Object], seconds: float) -> None:
    """Create what is missing, change what only we wrote. Raises BadInput, KubeError."""
    for wish in wishes:
        where = f"{wish['kind']} {wish['metadata']['name']}"
        await patiently(partial(_install, client, wish, where), seconds, where)


async def _install(client: Client, wish: Object, where: str) -> None:
    resource, metadata = RESOURCES[wish["kind"]], wish["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace")
    existing = await _existing(client, resource, name, namespace)
    if existing is not None and existing["metadata"].get("deletionTimestamp"):
        raise NotYet("the old one is still being deleted")
    completed, _ = DEFAULTS[resource.plural](wish)  # as it comes back, to be compared
    decision = decide(completed, existing)
    if decision.create is not None:
        await client.create(resource, decision.create)
        log.info("created %s", where)
    elif decision.patch is not None:
        await client.patch(resource, name, decision.patch, namespace)
        log.info("brought %s up to date", where)
    for member in decision.kept:
        log.warning("%s: spec.%s was set by somebody else and stays", where, member)


async def _existing(
    client: Client, resource: Resource, name: str, namespace: str | None
) -> Object | None:
    try:
        return await client.get(resource, name, namespace)
    except NotFound:
        return None
