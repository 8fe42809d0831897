"""The webhook configurations: what the API server asks about, where, and by which authority."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from typing import Any

from spiderpool.controller.admission.review import RULES
from spiderpool.controller.settings import Service
from spiderpool.controller.webhook.server import MUTATE, VALIDATE
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import GROUP, MUTATINGWEBHOOK, VALIDATINGWEBHOOK, Resource
from spiderpool.types.metadata import VERSION

log = logging.getLogger(__name__)

NAME = "spiderpool-controller"
TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A Service, or a URL without path for an API server outside the cluster's network."""

    at: Service | str

    @property
    def names(self) -> tuple[str, ...]:
        """Names that the server's certificate must have."""
        if isinstance(self.at, Service):
            name = f"{self.at.name}.{self.at.namespace}.svc"
            return (name, f"{name}.cluster.local")
        host = self.at.removeprefix("https://").rpartition(":")[0]
        return (host.strip("[]"),)

    def client_config(self, path: str, trusted: bytes) -> Object:
        """``webhooks[].clientConfig``."""
        bundle = {"caBundle": base64.b64encode(trusted).decode()}
        if isinstance(self.at, Service):
            where = {"namespace": self.at.namespace, "name": self.at.name, "port": self.at.port}
            return {"service": where | {"path": path}} | bundle
        return {"url": self.at + path} | bundle


def configurations(
    endpoint: Endpoint, trusted: bytes, *, guard_deletion: bool
) -> tuple[tuple[Resource, Object], ...]:
    """Both configuration objects.

    ``failurePolicy`` is Ignore: while no controller answers, the CRDs' own rules still
    refuse most mistakes, reconcilers report the rest, and nobody is kept from repairing
    the cluster.
    """
    deletion = ["DELETE"] if guard_deletion else []
    return (
        (
            MUTATINGWEBHOOK,
            _configuration(
                MUTATINGWEBHOOK,
                _webhook("mutate", ["CREATE", "UPDATE"], endpoint.client_config(MUTATE, trusted))
                | {"reinvocationPolicy": "Never"},
            ),
        ),
        (
            VALIDATINGWEBHOOK,
            _configuration(
                VALIDATINGWEBHOOK,
                _webhook(
                    "validate",
                    ["CREATE", "UPDATE", *deletion],
                    endpoint.client_config(VALIDATE, trusted),
                ),
            ),
        ),
    )


def _configuration(resource: Resource, webhook: Object) -> Object:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": NAME},
        "webhooks": [webhook],
    }


def _webhook(verb: str, operations: list[str], client_config: Object) -> Object:
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": operations,
        "resources": sorted(RULES),
        "scope": "*",
    }
    return {
        "name": f"{verb}.{GROUP}",
        "admissionReviewVersions": ["v1"],
        "clientConfig": client_config,
        "failurePolicy": "Ignore",
        "matchPolicy": "Equivalent",
        "rules": [rule],
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
    }


async def register(client: Client, resource: Resource, wanted: Object) -> None:
    """Create or repair one configuration. Raises KubeError."""
    try:
        actual = await client.get(resource, NAME)
    except NotFound:
        await client.create(resource, wanted)
        log.info("registered %s %s", resource.kind, NAME)
        return
    if not _covers(actual.get("webhooks"), wanted["webhooks"]):
        await client.update(resource, actual | {"webhooks": wanted["webhooks"]})
        log.info("repaired %s %s", resource.kind, NAME)


def _covers(actual: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; what the server added is nobody's business."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(
            _covers(actual.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(wanted)
            and all(map(_covers, actual, wanted))
        )
    return bool(actual == wanted)
