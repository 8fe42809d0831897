"""Where the webhook's certificate lives, so that all replicas of the controller share it."""

from __future__ import annotations

import base64
import binascii
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from spiderpool.errors import AlreadyExists, Conflict, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import SECRET

if TYPE_CHECKING:
    from spiderpool.controller.webhook.certificates import Bundle

log = logging.getLogger(__name__)

NAME = "spiderpool-controller-webhook"
_ATTEMPTS = 10


async def shared_bundle(client: Client, namespace: str, names: tuple[str, ...]) -> Bundle:
    """The bundle of the Secret, made or renewed when that is due.

    Of several replicas that find it due at once, one writes and the others take that.
    Raises KubeError.
    """
    from spiderpool.controller.webhook.certificates import renewed  # noqa: PLC0415  # 60 ms

    for _ in range(_ATTEMPTS):
        secret = await _read(client, namespace)
        found = bundle_of(secret) if secret is not None else None
        bundle = renewed(found, names, datetime.now(UTC))
        if bundle is found:
            return bundle
        try:
            await _write(client, namespace, secret, bundle)
        except (Conflict, AlreadyExists):
            continue
        log.info("made a new certificate for the webhook")
        return bundle
    raise Conflict(409, "Conflict", f"Secret {namespace}/{NAME} is written by others all the time")


async def _read(client: Client, namespace: str) -> Object | None:
    try:
        return await client.get(SECRET, NAME, namespace)
    except NotFound:
        return None


async def _write(client: Client, namespace: str, secret: Object | None, bundle: Bundle) -> None:
    data = {key: base64.b64encode(value).decode() for key, value in _files(bundle).items()}
    if secret is not None:
        await client.update(SECRET, secret | {"data": data})
        return
    await client.create(
        SECRET,
        {
            "apiVersion": SECRET.api_version,
            "kind": SECRET.kind,
            "metadata": {"name": NAME, "namespace": namespace},
            "type": "Opaque",
            "data": data,
        },
    )


def _files(bundle: Bundle) -> dict[str, bytes]:
    return {
        "ca.crt": bundle.trusted,
        "authority.crt": bundle.authority.certificate,
        "authority.key": bundle.authority.key,
        "tls.crt": bundle.server.certificate,
        "tls.key": bundle.server.key,
    }


def bundle_of(secret: Object) -> Bundle | None:
    """The bundle in a Secret; None when it is not one, whoever spoilt it."""
    from spiderpool.controller.webhook.certificates import (  # noqa: PLC0415
        Bundle,
        KeyPair,
        is_sound,
    )

    data = secret.get("data") or {}
    try:
        files = {key: base64.b64decode(value, validate=True) for key, value in data.items()}
        authority = KeyPair(files["authority.crt"], files["authority.key"])
        server = KeyPair(files["tls.crt"], files["tls.key"])
        bundle = Bundle(authority, server, files["ca.crt"])
    except (KeyError, binascii.Error):
        return None
    return bundle if is_sound(bundle) else None
