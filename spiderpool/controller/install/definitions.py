"""The CustomResourceDefinitions, as this version of the code has them."""

from __future__ import annotations

import logging
from functools import partial

from spiderpool.controller.install.patience import NotYet, patiently
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import CRD, GROUP
from spiderpool.types.crd import definition
from spiderpool.types.registry import KINDS

log = logging.getLogger(__name__)

OURS = {"app.kubernetes.io/managed-by": "spiderpool"}


def definitions() -> tuple[Object, ...]:
    """All of them, labelled as ours."""
    made = (definition(cls) for cls in KINDS)
    return tuple(one | {"metadata": one["metadata"] | {"labels": OURS}} for one in made)


async def install_definitions(client: Client, seconds: float) -> None:
    """Create or replace each, and wait until the API serves it. Raises BadInput, KubeError."""
    wanted = definitions()
    for one in wanted:
        name = one["metadata"]["name"]
        await patiently(partial(_put, client, one), seconds, f"CustomResourceDefinition {name}")
    for one in wanted:
        name = one["metadata"]["name"]
        await patiently(partial(_served, client, name), seconds, f"CustomResourceDefinition {name}")


def is_ours(existing: Object) -> bool:
    """Multus' own NetworkAttachmentDefinition may be there before us, and stays as it is."""
    labels = existing["metadata"].get("labels") or {}
    return existing["spec"]["group"] == GROUP or OURS.items() <= labels.items()


async def _put(client: Client, wanted: Object) -> None:
    name = wanted["metadata"]["name"]
    try:
        existing = await client.get(CRD, name)
    except NotFound:
        await client.create(CRD, wanted)
        log.info("created CustomResourceDefinition %s", name)
        return
    if not is_ours(existing):
        log.info("CustomResourceDefinition %s is somebody else's and stays as it is", name)
        return
    metadata = existing["metadata"]
    labels = (metadata.get("labels") or {}) | OURS
    await client.update(
        CRD, existing | {"metadata": metadata | {"labels": labels}, "spec": wanted["spec"]}
    )
    log.info("CustomResourceDefinition %s is as it ought to be", name)


async def _served(client: Client, name: str) -> None:
    conditions = ((await client.get(CRD, name)).get("status") or {}).get("conditions") or []
    if not any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
        raise NotYet("the API server does not serve it yet")
