"""The webhook over TLS, as an API server asks it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import aiohttp
import pytest
from aiohttp import web
from controller_world import World, run

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.main import parser, settings_of
from spiderpool.controller.manager import Manager
from spiderpool.controller.metrics import Reviewed
from spiderpool.controller.settings import Service, Settings, WebhookSettings
from spiderpool.controller.webhook.registration import Endpoint, configurations, register
from spiderpool.controller.webhook.server import WebhookServer
from spiderpool.errors import BadInput
from spiderpool.kube.resources import MUTATINGWEBHOOK, SECRET, SPIDERIPPOOL, VALIDATINGWEBHOOK
from spiderpool.testing.kube import FakeClient

NAME = "spiderpool-controller"
POOL = {"subnet": "10.6.0.0/16", "ips": ["10.6.212.100-10.6.212.200"]}


def review(spec: Any, plural: str = "spiderippools", **asked: Any) -> dict[str, Any]:
    obj = {"metadata": {"name": "a"}, "spec": spec}
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u1",
            "kind": {"group": "spiderpool.spidernet.io", "kind": "SpiderIPPool"},
            "resource": {"resource": plural},
            "name": "a",
            "operation": "CREATE",
            "object": obj,
            "oldObject": None,
        }
        | asked,
    }


class Caller:
    """An API server that believes the registration and nothing else."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self.world, self._session = world, session

    async def ask(self, resource: Any, body: Any) -> tuple[int, Any]:
        config = await self.world.until(resource, NAME, lambda o: o["webhooks"])
        client = config["webhooks"][0]["clientConfig"]
        trusted = base64.b64decode(client["caBundle"]).decode()
        tls = ssl.create_default_context(cadata=trusted)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._session.post(client["url"], data=data, ssl=tls) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.status == 200 else text


@contextlib.asynccontextmanager
async def serving(*objects: Any) -> AsyncIterator[Caller]:
    api = FakeClient(objects)
    webhook = WebhookSettings(host="127.0.0.1", port=0)
    work = asyncio.ensure_future(Manager(Settings(identity="me", webhook=webhook), api).run())
    try:
        async with aiohttp.ClientSession() as session:
            yield Caller(World(api), session)
    finally:
        assert not work.done() or work.result()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def test_a_good_object_passes_with_warnings_and_is_completed() -> None:
    async def scene() -> None:
        node = {
            "metadata": {"name": "controller"},
            "status": {"addresses": [{"type": "InternalIP", "address": "10.6.212.132"}]},
        }
        from spiderpool.kube.resources import NODE

        async with serving((NODE, node)) as caller:
            status, answer = await caller.ask(VALIDATINGWEBHOOK, review(POOL))
            assert status == 200
            assert answer["response"] == {
                "uid": "u1",
                "allowed": True,
                "warnings": [
                    "spec.ips contains node controller's address 10.6.212.132; "
                    "it is never handed out"
                ],
            }
            _, answer = await caller.ask(MUTATINGWEBHOOK, review(POOL))
            patch = json.loads(base64.b64decode(answer["response"]["patch"]))
            assert [operation["path"] for operation in patch] == ["/metadata", "/spec"]
            assert patch[1]["value"]["ipVersion"] == 4

    run(scene)


def test_a_bad_object_is_refused_with_all_causes() -> None:
    async def scene() -> None:
        async with serving() as caller:
            bad = POOL | {"gateway": "10.7.0.1", "ips": ["x"]}
            _, answer = await caller.ask(VALIDATINGWEBHOOK, review(bad))
            response = answer["response"]
            assert not response["allowed"]
            assert response["status"]["code"] == 422
            assert [c["field"] for c in response["status"]["details"]["causes"]] == [
                "spec.ips[0]",
                "spec.gateway",
            ]
            assert response["status"]["message"].startswith(
                "SpiderIPPool.spiderpool.spidernet.io \"a\" is invalid: [spec.ips[0]: 'x' is not"
            )

    run(scene)


def test_rules_see_the_cluster_as_it_is() -> None:
    async def scene() -> None:
        other = {"metadata": {"name": "b"}, "spec": POOL}
        async with serving((SPIDERIPPOOL, other)) as caller:
            _, answer = await caller.ask(VALIDATINGWEBHOOK, review(POOL))
            assert "overlap with IPPool b" in answer["response"]["status"]["message"]

    run(scene)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"request": 5}'])
def test_what_is_no_review_is_a_bad_request(body: bytes) -> None:
    async def scene() -> None:
        async with serving() as caller:
            status, text = await caller.ask(VALIDATINGWEBHOOK, body)
            assert (status, text) == (
                400,
                "not an AdmissionReview of admission.k8s.io/v1\n",
            )

    run(scene)


def test_a_review_that_the_rules_cannot_stand_is_an_error_and_not_the_end() -> None:
    async def scene() -> None:
        async with serving() as caller:
            status, _ = await caller.ask(VALIDATINGWEBHOOK, review(POOL, "unknown"))
            assert status == 500
            status, _ = await caller.ask(VALIDATINGWEBHOOK, review(POOL))
            assert status == 200

    run(scene)


def test_reviews_are_counted() -> None:
    async def scene() -> None:
        reviewed = Reviewed()
        server = WebhookServer(Cluster, reviewed)
        for asked in (review(POOL), review(POOL | {"ips": ["x"]}), review(POOL, "unknown")):
            request = SimpleNamespace(read=AsyncMock(return_value=json.dumps(asked)))
            await server._validate(cast(web.Request, request))
        assert reviewed == Reviewed(answered=2, refused=1, failed=1)

    run(scene)


def test_the_registration_is_repaired_and_left_alone_when_it_is_right() -> None:
    async def scene() -> None:
        api = FakeClient()
        wanted = configurations(Endpoint("https://h:1"), b"pem", guard_deletion=True)
        for resource, obj in wanted:
            await register(api, resource, obj)
            made = await api.get(resource, NAME)
            await register(api, resource, obj)
            assert await api.get(resource, NAME) == made
            await api.patch(resource, NAME, {"webhooks": []})
            await register(api, resource, obj)
            assert (await api.get(resource, NAME))["webhooks"] == obj["webhooks"]
        operations = wanted[1][1]["webhooks"][0]["rules"][0]["operations"]
        assert operations == ["CREATE", "UPDATE", "DELETE"]

    run(scene)


def test_names_of_the_endpoint() -> None:
    service = Endpoint(Service("kube-system", "spiderpool-controller", 5722))
    assert service.names[0] == "spiderpool-controller.kube-system.svc"
    assert service.client_config("/validate", b"")["service"] == {
        "namespace": "kube-system",
        "name": "spiderpool-controller",
        "port": 5722,
        "path": "/validate",
    }
    assert Endpoint("https://[::1]:8443").names == ("::1",)
    assert Endpoint("https://127.0.0.1:8443").names == ("127.0.0.1",)


def test_a_given_certificate_is_used(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from spiderpool.controller.webhook.certificates import renewed

    bundle = renewed(None, ("127.0.0.1",), datetime.now(UTC))
    (tmp_path / "tls.crt").write_bytes(bundle.server.certificate)
    (tmp_path / "tls.key").write_bytes(bundle.server.key)
    (tmp_path / "ca.crt").write_bytes(bundle.trusted)

    async def scene() -> None:
        api = FakeClient()
        webhook = WebhookSettings(host="127.0.0.1", port=0, certificates=tmp_path)
        work = asyncio.ensure_future(Manager(Settings(identity="me", webhook=webhook), api).run())
        async with aiohttp.ClientSession() as session:
            status, _ = await Caller(World(api), session).ask(VALIDATINGWEBHOOK, review(POOL))
        assert status == 200
        assert not (await api.list(SECRET))["items"]
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    run(scene)


def test_a_port_that_is_taken_ends_the_controller_with_one_line() -> None:
    async def scene() -> None:
        taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = taken.sockets[0].getsockname()[1]
        settings = Settings(identity="me", webhook=WebhookSettings(host="127.0.0.1", port=port))
        with pytest.raises(BadInput, match=rf"^--webhook-listen: 127\.0\.0\.1:{port}: "):
            await Manager(settings, FakeClient()).run()
        taken.close()

    run(scene)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--webhook-listen", "5722"], "--webhook-listen: '5722' is not HOST:PORT"),
        (["--webhook-listen", "h:99999"], "--webhook-listen: 'h:99999' is not HOST:PORT"),
        (
            ["--webhook-listen", "h:1", "--webhook-service", "x"],
            "--webhook-service: 'x' is not NAMESPACE/NAME[:PORT]",
        ),
    ],
)
def test_options_that_cannot_be_used(arguments: list[str], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        settings_of(parser().parse_args(arguments))
    assert words in str(caught.value)


def test_options() -> None:
    settings = settings_of(
        parser().parse_args(
            ["--webhook-listen", "[::]:5722", "--webhook-service", "ns/name", "--disable-ipv6"]
        )
    )
    assert settings.families == {4}
    assert settings.webhook == WebhookSettings(
        host="::", port=5722, service=Service("ns", "name", 443)
    )
