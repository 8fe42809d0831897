"""The HTTPS server that the API server asks about every write."""

from __future__ import annotations

import json
import logging
import os
import ssl
from collections.abc import Callable
from typing import Any

from aiohttp import web

from spiderpool.controller.admission.findings import Cluster
from spiderpool.controller.admission.review import mutate, validate
from spiderpool.controller.metrics import Reviewed

log = logging.getLogger(__name__)

MUTATE, VALIDATE, HEALTH = "/mutate", "/validate", "/webhook-health-check"
LARGEST_REVIEW = 8 << 20
"""Bytes; an object is at most 1.5 MB, and a review holds it twice."""

Object = dict[str, Any]


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _no_password() -> bytes:
    """OpenSSL would ask for one on the terminal."""
    return b""


class WebhookServer:
    """Answers AdmissionReviews with the rules, as the cluster is at that moment."""

    def __init__(self, cluster: Callable[[], Cluster], reviewed: Reviewed) -> None:
        self._cluster, self._reviewed = cluster, reviewed
        self._tls = _context()
        self._runner: web.AppRunner | None = None

    def use(self, certificate: bytes, key: bytes) -> None:
        """Serve by this certificate from the next connection on (PEM).

        Raises:
            ssl.SSLError: the two do not go together; nothing has changed then.
        """
        descriptor = os.memfd_create("webhook", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, certificate + key)
            for context in (_context(), self._tls):  # a failure would spoil the one in use
                context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_no_password)
        finally:
            os.close(descriptor)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which is chosen by the kernel for 0."""
        app = web.Application(client_max_size=LARGEST_REVIEW)
        app.router.add_post(MUTATE, self._mutate)
        app.router.add_post(VALIDATE, self._validate)
        app.router.add_get(HEALTH, self._health)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=self._tls).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening; requests under way are answered first."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _mutate(self, request: web.Request) -> web.Response:
        return await self._answer(request, lambda review: mutate(review, self._cluster()))

    async def _validate(self, request: web.Request) -> web.Response:
        return await self._answer(request, lambda review: validate(review, self._cluster()))

    async def _answer(
        self, request: web.Request, decide: Callable[[Object], Object]
    ) -> web.Response:
        try:
            review = json.loads(await request.read())
            uid = review["request"]["uid"]
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400, text="not an AdmissionReview of admission.k8s.io/v1\n")
        try:
            answer = decide(review)
        except Exception:
            log.exception("review %s", uid)
            self._reviewed.failed += 1
            return web.Response(status=500, text="the rules failed; see the controller's log\n")
        self._reviewed.answered += 1
        self._reviewed.refused += not answer["response"]["allowed"]
        return web.json_response(answer)

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")
