"""Admission by webhooks: HTTPS calls to whom the cluster's configurations name."""

from __future__ import annotations

import asyncio
import base64
import binascii
import ssl
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import orjson

from harness.kubeapi import reviews, status
from harness.kubeapi.admission import Attempt
from harness.kubeapi.objects import Object
from harness.kubeapi.reviews import BadReview, Verdict
from harness.kubeapi.status import ApiError
from harness.kubeapi.store import Store

_MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
_VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io"
_DEFAULT_SECONDS = 10
_SIDE_EFFECTS = ("Some", "Unknown")


@dataclass(frozen=True, slots=True)
class Target:
    """``url`` is what is connected to, ``host`` whom the certificate has to be for."""

    url: str
    host: str
    authority: bytes


class Webhooks:
    """An :class:`harness.kubeapi.admission.Admission` that asks the cluster's webhooks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def change(self, attempt: Attempt) -> tuple[Object | None, list[str]]:
        warnings: list[str] = []
        for webhook in self._matching(_MUTATING, attempt):
            found = await self._ask(webhook, attempt, changes=True)
            warnings += found.warnings
            if found.obj is not None:
                attempt = replace(attempt, obj=found.obj)
        return attempt.obj, warnings

    async def check(self, attempt: Attempt) -> list[str]:
        asked = (
            self._ask(webhook, attempt, changes=False)
            for webhook in self._matching(_VALIDATING, attempt)
        )
        verdicts = await asyncio.gather(*asked)
        return [warning for each in verdicts for warning in each.warnings]

    def _matching(self, bucket: str, attempt: Attempt) -> list[Object]:
        configurations = self._store.all(bucket)
        if not configurations:
            return []
        namespace = self._store.get("namespaces.", ("", attempt.namespace))
        return list(reviews.matching(configurations, attempt, namespace))

    async def _ask(self, webhook: Object, attempt: Attempt, *, changes: bool) -> Verdict:
        """Raises ApiError when the webhook refuses, or fails and may not."""
        review = reviews.review_of(attempt)
        try:
            if not reviews.condition_holds(webhook, review["request"]):
                return Verdict(None, ())
            if attempt.dry_run and webhook.get("sideEffects") in _SIDE_EFFECTS:
                raise status.bad_request(
                    f'admission webhook "{webhook["name"]}" does not support dry run'
                )
            answer = await _post(self._target(webhook["clientConfig"]), webhook, review)
            return reviews.verdict(webhook, review, answer, changes=changes)
        except BadReview as failure:
            if webhook.get("failurePolicy") == "Ignore":
                return Verdict(None, ())
            message = f'failed calling webhook "{webhook["name"]}": {failure}'
            raise ApiError(500, "InternalError", f"Internal error occurred: {message}") from None

    def _target(self, config: Object) -> Target:
        """Raises BadReview when the webhook's place cannot be found."""
        try:
            authority = base64.b64decode(config.get("caBundle") or "", validate=True)
        except binascii.Error:
            raise BadReview("caBundle is no base64") from None
        if config.get("url"):
            return Target(config["url"], "", authority)
        reference = config.get("service") or {}
        name, namespace = reference.get("name", ""), reference.get("namespace", "")
        host = f"{name}.{namespace}.svc"
        address = self._service_address(name, namespace, reference.get("port") or 443)
        path = reference.get("path") or "/"
        return Target(f"https://{address}/{path.lstrip('/')}", host, authority)

    def _service_address(self, name: str, namespace: str, port: int) -> str:
        """``host:port`` of one of the Service's endpoints: there is no kube-proxy in between."""
        service = self._store.get("services.", (namespace, name))
        if service is None:
            raise BadReview(f'failed to call webhook: service "{name}" not found')
        named = next((each for each in service["spec"]["ports"] if each["port"] == port), None)
        endpoints = self._store.get("endpoints.", (namespace, name)) or {}
        for subset in endpoints.get("subsets") or []:
            for address in subset.get("addresses") or []:
                for each in subset.get("ports") or []:
                    if named and each.get("name", "") == named.get("name", ""):
                        ip = address["ip"]
                        return f"[{ip}]:{each['port']}" if ":" in ip else f"{ip}:{each['port']}"
        raise BadReview(f'failed to call webhook: no endpoints available for service "{name}"')


async def _post(target: Target, webhook: Object, review: Object) -> Any:
    """Raises BadReview for everything that is no answer."""
    seconds = webhook.get("timeoutSeconds") or _DEFAULT_SECONDS
    timeout = aiohttp.ClientTimeout(total=seconds)
    headers = {"Content-Type": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(
                f"{target.url}?timeout={seconds}s",
                data=orjson.dumps(review),
                headers=headers,
                ssl=_trust(target.authority),
                server_hostname=target.host or None,
            ) as answer,
        ):
            if answer.status != 200:
                raise BadReview(f"failed to call webhook: the server answered {answer.status}")
            return orjson.loads(await answer.read())
    except TimeoutError:
        raise BadReview("failed to call webhook: context deadline exceeded") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise BadReview(f'failed to call webhook: Post "{target.url}": {error}') from None


def _trust(authority: bytes) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority.decode() if authority else None)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise BadReview(f"unable to load root certificates: {error}") from None
