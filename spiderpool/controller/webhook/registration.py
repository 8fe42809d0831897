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
NEVER_INJECTED = ("kube-system", "kube-public", "spiderpool", "metallb-system", "istio-system")
"""Namespaces whose pods the cluster needs also while no controller answers."""


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
    endpoint: Endpoint, trusted: bytes, *, guard_deletion: bool, inject_networks: bool = False
) -> tuple[tuple[Resource, Object], ...]:
    """Both configuration objects.

    ``failurePolicy`` is Ignore: while no controller answers, the CRDs' own rules still
    refuse most mistakes, reconcilers report the rest, and nobody is kept from repairing
    the cluster. It is Fail for pods, which would start without their networks.
    """
    deletion = ["DELETE"] if guard_deletion else []
    asked_to_mutate = endpoint.client_config(MUTATE, trusted)
    mutating = [_own_kinds("mutate", ["CREATE", "UPDATE"], asked_to_mutate)]
    if inject_networks:
        mutating.append(_pods(asked_to_mutate))
    validating = _own_kinds(
        "validate", ["CREATE", "UPDATE", *deletion], endpoint.client_config(VALIDATE, trusted)
    )
    never = {"reinvocationPolicy": "Never"}
    return (
        (MUTATINGWEBHOOK, _configuration(MUTATINGWEBHOOK, [hook | never for hook in mutating])),
        (VALIDATINGWEBHOOK, _configuration(VALIDATINGWEBHOOK, [validating])),
    )


def _configuration(resource: Resource, webhooks: list[Object]) -> Object:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": NAME},
        "webhooks": webhooks,
    }


def _own_kinds(verb: str, operations: list[str], client_config: Object) -> Object:
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": operations,
        "resources": sorted(RULES),
        "scope": "*",
    }
    return _webhook(verb, rule, client_config) | {"failurePolicy": "Ignore"}


def _pods(client_config: Object) -> Object:
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
        "scope": "Namespaced",
    }
    excluded = {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": list(NEVER_INJECTED),
    }
    selector = {"namespaceSelector": {"matchExpressions": [excluded]}}
    return _webhook("pods", rule, client_config) | {"failurePolicy": "Fail"} | selector


def _webhook(verb: str, rule: Object, client_config: Object) -> Object:
    return {
        "name": f"{verb}.{GROUP}",
        "admissionReviewVersions": ["v1"],
        "clientConfig": client_config,
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
    if not covers(actual.get("webhooks"), wanted["webhooks"]):
        await client.update(resource, actual | {"webhooks": wanted["webhooks"]})
        log.info("repaired %s %s", resource.kind, NAME)


def covers(actual: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; what the server added is nobody's business."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(
            covers(actual.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(wanted)
            and all(map(covers, actual, wanted))
        )
    return bool(actual == wanted)
