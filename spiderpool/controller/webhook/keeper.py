"""Runs the webhook: certificate in time, registration as it ought to be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.metrics import Reviewed
from spiderpool.controller.settings import Settings, WebhookSettings
from spiderpool.controller.webhook.registration import (
    Endpoint,
    configurations,
    register,
)
from spiderpool.controller.webhook.secret import shared_bundle
from spiderpool.controller.webhook.server import WebhookServer
from spiderpool.errors import BadInput, KubeError
from spiderpool.kube.api import Client

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
"""How often certificate and registration are looked at."""


@dataclass(frozen=True, slots=True)
class _Files:
    """What a server shows and what its clients trust, PEM."""

    certificate: bytes
    key: bytes
    trusted: bytes


class Webhook:
    """One server, kept up until :meth:`run` is cancelled."""

    def __init__(
        self,
        client: Client,
        settings: Settings,
        webhook: WebhookSettings,
        cluster: Callable[[], Cluster],
        reviewed: Reviewed,
    ) -> None:
        self._client, self._settings, self._webhook = client, settings, webhook
        self._server = WebhookServer(cluster, reviewed)
        self._used: _Files | None = None

    async def run(self) -> None:
        """Listen at once, and look after certificate and registration from then on."""
        settings = self._webhook
        names = Endpoint(settings.service or _url(settings.host, settings.port)).names
        await self._use_when_there_is_one(names)
        try:
            port = await self._server.start(settings.host, settings.port)
        except OSError as exc:
            where = f"{settings.host}:{settings.port}"
            raise BadInput("--webhook-listen", f"{where}: {exc.strerror}") from None
        endpoint = Endpoint(settings.service or _url(settings.host, port))
        log.info("webhook listens on %s port %d", settings.host, port)
        try:
            while True:
                await self._look(endpoint)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._server.close()

    async def _use_when_there_is_one(self, names: tuple[str, ...]) -> None:
        while True:
            try:
                await self._use(names)
            except (KubeError, BadInput) as exc:
                log.warning("no certificate for the webhook yet: %s", exc)
                await asyncio.sleep(1.0)
            else:
                return

    async def _look(self, endpoint: Endpoint) -> None:
        try:
            used = await self._use(endpoint.names)
            for resource, wanted in configurations(
                endpoint,
                used.trusted,
                guard_deletion=self._settings.guard_deletion,
                inject_networks=self._settings.inject_networks,
            ):
                await register(self._client, resource, wanted)
        except (KubeError, BadInput) as exc:
            log.warning("webhook: %s", exc)

    async def _use(self, names: tuple[str, ...]) -> _Files:
        """Serve by the certificate that is due now. Raises KubeError or BadInput."""
        files = await self._files(names)
        if files != self._used:
            self._server.use(files.certificate, files.key)
            self._used = files
        return files

    async def _files(self, names: tuple[str, ...]) -> _Files:
        directory = self._webhook.certificates
        if directory is not None:
            return _read(directory)
        bundle = await shared_bundle(self._client, self._settings.namespace, names)
        return _Files(bundle.server.certificate, bundle.server.key, bundle.trusted)


def _read(directory: Path) -> _Files:
    try:
        return _Files(
            (directory / "tls.crt").read_bytes(),
            (directory / "tls.key").read_bytes(),
            (directory / "ca.crt").read_bytes(),
        )
    except OSError as exc:
        problem = f"cannot be read: {exc.strerror}"
        raise BadInput(str(exc.filename), problem, "give tls.crt, tls.key and ca.crt") from None


def _url(host: str, port: int) -> str:
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
