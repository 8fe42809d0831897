"""The way back: takes everything out of the API that an installation and its use put there."""

from __future__ import annotations

import logging
from functools import partial

from spiderpool.controller.install.definitions import definitions
from spiderpool.controller.install.patience import NotYet, patiently
from spiderpool.controller.manager import LEASE_NAME
from spiderpool.controller.webhook.registration import NAME as WEBHOOK
from spiderpool.controller.webhook.secret import NAME as SECRET_NAME
from spiderpool.errors import NotFound
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import Resource
from spiderpool.types.metadata import FINALIZER

log = logging.getLogger(__name__)

KINDS = (
    resources.SPIDERMULTUSCONFIG,
    resources.SPIDERCOORDINATOR,
    resources.SPIDERSUBNET,
    resources.SPIDERIPPOOL,
    resources.SPIDERRESERVEDIP,
    resources.SPIDERENDPOINT,
    resources.SPIDERIPBLOCK,
)


async def stop_controller(
    client: Client, name: str, namespace: str, selector: str, seconds: float
) -> None:
    """No pod of it is left, who would put webhooks and finalizers back. Raises BadInput."""
    try:
        await client.patch(
            resources.DEPLOYMENT, name, {"spec": {"replicas": 0}}, namespace, subresource="scale"
        )
    except NotFound:
        log.info("there is no Deployment %s/%s", namespace, name)

    async def look() -> None:
        pods = await client.list(resources.POD, namespace, label_selector=selector)
        if names := [pod["metadata"]["name"] for pod in pods["items"]]:
            raise NotYet(f"{', '.join(names)} still there")

    await patiently(look, seconds, f"stopping Deployment {namespace}/{name}")


async def clean(client: Client, namespace: str, job: str, seconds: float) -> None:
    """Webhooks first, so that nothing is refused; definitions last. Raises BadInput, KubeError.

    Definitions of NetworkAttachmentDefinitions stay: others may have networks of theirs.
    """
    for resource in (resources.MUTATINGWEBHOOK, resources.VALIDATINGWEBHOOK):
        await _delete(client, resource, WEBHOOK)
    for resource in KINDS:
        await patiently(partial(_empty, client, resource), seconds, f"deleting {resource.plural}")
    for one in definitions():
        if one["spec"]["group"] == resources.GROUP:
            await _delete(client, resources.CRD, one["metadata"]["name"])
    await _delete(client, resources.SECRET, SECRET_NAME, namespace)
    await _delete(client, resources.LEASE, LEASE_NAME, namespace)
    await _delete(client, resources.JOB, job, namespace)


async def _empty(client: Client, resource: Resource) -> None:
    """Delete what is there; NotYet as long as there was something."""
    try:
        items = (await client.list(resource))["items"]
    except NotFound:
        return
    for obj in items:
        metadata = obj["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace")
        if not metadata.get("deletionTimestamp"):
            await _delete(client, resource, name, namespace)
        await _let_go(client, resource, obj)
    if items:
        raise NotYet(f"{len(items)} were left")


async def _let_go(client: Client, resource: Resource, obj: Object) -> None:
    metadata = obj["metadata"]
    finalizers = metadata.get("finalizers") or []
    if FINALIZER not in finalizers:
        return
    rest = [finalizer for finalizer in finalizers if finalizer != FINALIZER]
    body = {"metadata": {"finalizers": rest}}
    try:
        await client.patch(resource, metadata["name"], body, metadata.get("namespace"))
    except NotFound:
        return


async def _delete(
    client: Client, resource: Resource, name: str, namespace: str | None = None
) -> None:
    try:
        await client.delete(resource, name, namespace, propagation="Background")
    except NotFound:
        return
    log.info("deleted %s %s", resource.kind, name)
