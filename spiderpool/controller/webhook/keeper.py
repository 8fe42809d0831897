"""Runs the webhook: certificate in time, registration as it ought to be."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.metrics import Reviewed
from spiderpool.controller.settings import Settings, WebhookSettings
from spiderpool.controller.webhook.registration import (
    Endpoint,
    configurations,
    register,
)
from spiderpool.controller.webhook.secret import NAME, shared_bundle
from spiderpool.controller.webhook.server import WebhookServer
from spiderpool.errors import BadInput, KubeError
from spiderpool.kube.api import Client

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
"""How often certificate and registration are looked at."""
RETRY_SECONDS = 1.0
"""How soon again, while there is no certificate to begin with."""


@dataclass(frozen=True, slots=True)
class _Files:
    """What a server shows and what its clients trust, PEM; ``place`` is where they lie."""

    certificate: bytes
    key: bytes
    trusted: bytes
    place: str

    def doubt(self, names: tuple[str, ...]) -> str:
        """Why an API server would refuse a certificate that can be served by; else empty."""
        from spiderpool.controller.webhook.certificates import doubt  # noqa: PLC0415  # 60 ms

        found = doubt(self.certificate, names, datetime.now(UTC))
        return f"{self.place}/tls.crt: {found}: API servers refuse it" if found else ""


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
        self._announced = b""
        self._said = ""

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
                await self._renew(names)
            except (KubeError, BadInput) as exc:
                self._say(f"no certificate for the webhook yet: {exc}")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _look(self, endpoint: Endpoint) -> None:
        try:
            files = await self._renew(endpoint.names)
            for resource, wanted in configurations(
                endpoint,
                files.trusted,
                guard_deletion=self._settings.guard_deletion,
                inject_networks=self._settings.inject_networks,
            ):
                await register(self._client, resource, wanted)
        except (KubeError, BadInput) as exc:
            self._say(f"webhook: {exc}")
        else:
            self._say(files.doubt(endpoint.names))

    def _say(self, problem: str) -> None:
        """What stays wrong is said once."""
        if problem and problem != self._said:
            log.warning("%s", problem)
        self._said = problem

    async def _renew(self, names: tuple[str, ...]) -> _Files:
        """What is to be trusted now, and served by. Raises KubeError or BadInput.

        A certificate of another authority waits for the next look: by then every API server
        knows the authority, and until then all trust the certificate in use.
        """
        files, used = await self._files(names), self._used
        known = files.trusted == self._announced
        if known or used is None or not _trusts(files.trusted, used.trusted):
            self._use(files)
        self._announced = files.trusted
        return files

    def _use(self, files: _Files) -> None:
        if files == self._used:
            return
        try:
            self._server.use(files.certificate, files.key)
        except ssl.SSLError as exc:
            remedy = "give the key of that certificate, PEM without a password"
            problem = f"does not go with tls.crt: {exc.reason or exc}"
            raise BadInput(f"{files.place}/tls.key", problem, remedy) from None
        self._used = files

    async def _files(self, names: tuple[str, ...]) -> _Files:
        directory = self._webhook.certificates
        if directory is not None:
            return _read(directory)
        bundle = await shared_bundle(self._client, self._settings.namespace, names)
        place = f"Secret {self._settings.namespace}/{NAME}"
        return _Files(bundle.server.certificate, bundle.server.key, bundle.trusted, place)


def _trusts(trusted: bytes, before: bytes) -> bool:
    """Whether every authority of ``before`` is among those of ``trusted``."""
    end = b"-----END CERTIFICATE-----"
    parts = [{part.strip() for part in pem.split(end)} for pem in (trusted, before)]
    return parts[1] <= parts[0]


def _read(directory: Path) -> _Files:
    try:
        return _Files(
            (directory / "tls.crt").read_bytes(),
            (directory / "tls.key").read_bytes(),
            (directory / "ca.crt").read_bytes(),
            str(directory),
        )
    except OSError as exc:
        problem = f"cannot be read: {exc.strerror}"
        raise BadInput(str(exc.filename), problem, "give tls.crt, tls.key and ca.crt") from None


def _url(host: str, port: int) -> str:
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
