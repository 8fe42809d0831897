"""A certificate that somebody else makes and replaces: --webhook-certificates."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from controller_world import run
from cryptography.hazmat.primitives import serialization

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.metrics import Reviewed
from spiderpool.controller.settings import Settings, WebhookSettings
from spiderpool.controller.webhook import keeper
from spiderpool.controller.webhook.certificates import Bundle, renewed
from spiderpool.controller.webhook.keeper import Webhook
from spiderpool.kube.resources import VALIDATINGWEBHOOK
from spiderpool.testing.kube import FakeClient

NAME = "127.0.0.1"


def bundle(now: datetime | None = None, name: str = NAME) -> Bundle:
    return renewed(None, (name,), now or datetime.now(UTC))


def give(folder: Path, given: Bundle, key: bytes | None = None) -> None:
    (folder / "tls.crt").write_bytes(given.server.certificate)
    (folder / "tls.key").write_bytes(key or given.server.key)
    (folder / "ca.crt").write_bytes(given.trusted)


def locked(key: bytes) -> bytes:
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


@contextlib.asynccontextmanager
async def keeping(folder: Path) -> AsyncIterator[FakeClient]:
    api = FakeClient()
    settings = WebhookSettings(host=NAME, port=0, certificates=folder)
    webhook = Webhook(api, Settings(identity="me"), settings, Cluster, Reviewed())
    work = asyncio.ensure_future(webhook.run())
    try:
        yield api
    finally:
        assert not work.done() or work.result()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def until_registered(api: FakeClient) -> None:
    while not (await api.list(VALIDATINGWEBHOOK))["items"]:
        await asyncio.sleep(0.001)


async def until_logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    while words not in caplog.text:
        await asyncio.sleep(0.001)


GOOD = bundle()
BAD_KEYS = {
    "of another": bundle().server.key,
    "none": b"nonsense",
    "with a password": locked(GOOD.server.key),
}


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_cannot_be_served_by_is_named_and_waited_for(
    key: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0.001)
    give(tmp_path, GOOD, BAD_KEYS[key])

    async def scene() -> None:
        async with keeping(tmp_path) as api:
            await until_logged(caplog, f"{tmp_path}/tls.key: does not go with tls.crt")
            assert caplog.text.count("does not go with") == 1
            give(tmp_path, GOOD)
            await until_registered(api)

    run(scene)


def test_one_that_goes_bad_later_leaves_the_webhook_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when files are read while somebody replaces them, one after another."""
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.001)
    good, other = bundle(), bundle()
    give(tmp_path, good)

    async def scene() -> None:
        async with keeping(tmp_path) as api:
            await until_registered(api)
            config = (await api.list(VALIDATINGWEBHOOK))["items"][0]["webhooks"][0]["clientConfig"]
            port = int(config["url"].rpartition(":")[2].partition("/")[0])
            (tmp_path / "tls.crt").write_bytes(other.server.certificate)
            await until_logged(caplog, "does not go with tls.crt")
            assert await shown(port) == good.server.certificate
            give(tmp_path, other)
            while await shown(port) != other.server.certificate:
                await asyncio.sleep(0.001)

    run(scene)


async def shown(port: int) -> bytes:
    pem = await asyncio.to_thread(ssl.get_server_certificate, (NAME, port))
    return pem.encode()


@pytest.mark.parametrize(
    ("days", "name", "words"),
    [
        (-366, NAME, "tls.crt: ended "),
        (1, NAME, "tls.crt: holds from "),
        (0, "other.svc", "tls.crt: is not for 127.0.0.1"),
    ],
)
def test_one_that_api_servers_will_refuse_is_served_and_warned_of(
    days: int, name: str, words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    give(tmp_path, bundle(datetime.now(UTC) + timedelta(days=days), name))

    async def scene() -> None:
        async with keeping(tmp_path) as api:
            await until_registered(api)
            await until_logged(caplog, f"{tmp_path}/{words}")

    run(scene)
