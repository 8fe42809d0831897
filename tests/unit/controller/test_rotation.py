"""The webhook's certificate while it is renewed: no API server is shown one that the
registration of the look before does not trust."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from controller_world import run
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.metrics import Reviewed
from spiderpool.controller.settings import Settings, WebhookSettings
from spiderpool.controller.webhook import certificates, keeper
from spiderpool.controller.webhook.certificates import AUTHORITY_LIFE, SERVER_LIFE, renewed
from spiderpool.controller.webhook.keeper import Webhook
from spiderpool.controller.webhook.registration import register
from spiderpool.controller.webhook.server import WebhookServer
from spiderpool.testing.kube import FakeClient


class ApiServers:
    """What they were told to trust, and whether they would take what they are shown."""

    def __init__(self) -> None:
        self.told = self.known = b""
        self.takes: list[bool] = []

    async def register(self, client: Any, resource: Any, wanted: Any) -> None:
        await register(client, resource, wanted)
        self.told = base64.b64decode(wanted["webhooks"][0]["clientConfig"]["caBundle"])

    def a_while_passes(self) -> None:
        self.known = self.told

    def look_at(self, certificate: bytes) -> None:
        trusted = x509.load_pem_x509_certificates(self.known) if self.known else ()
        self.takes.append(any(_issued(certificate, authority) for authority in trusted))


def _issued(certificate: bytes, authority: x509.Certificate) -> bool:
    try:
        x509.load_pem_x509_certificate(certificate).verify_directly_issued_by(authority)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("age", [SERVER_LIFE * 0.7, AUTHORITY_LIFE * 0.7])
def test_a_renewal_refuses_no_connection(age: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    servers, clock = ApiServers(), [datetime.now(UTC) - age]

    class Watched(Webhook):
        async def _files(self, names: tuple[str, ...]) -> Any:
            servers.a_while_passes()
            return await super()._files(names)

    def use(self: WebhookServer, certificate: bytes, key: bytes) -> None:
        servers.look_at(certificate)

    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(keeper, "register", servers.register)
    monkeypatch.setattr(WebhookServer, "use", use)
    monkeypatch.setattr(certificates, "renewed", lambda b, names, now: renewed(b, names, clock[0]))

    async def scene() -> None:
        settings = WebhookSettings(host="127.0.0.1", port=0)
        webhook = Watched(FakeClient(), Settings(identity="me"), settings, Cluster, Reviewed())
        work = asyncio.ensure_future(webhook.run())
        while not servers.known:
            await asyncio.sleep(0.001)
        clock[0] = datetime.now(UTC)
        while len(servers.takes) < 2:
            await asyncio.sleep(0.001)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        assert servers.takes[1:] == [True]

    run(scene)
