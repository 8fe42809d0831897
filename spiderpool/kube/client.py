"""The Kubernetes API over HTTP: plain dictionaries in and out, errors as exceptions."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
from aiohttp.connector import AddrInfoType
from yarl import URL

from spiderpool.errors import BadInput, Unreachable
from spiderpool.kube.access import Access, find_access
from spiderpool.kube.api import LARGEST_PAGE, MERGE_PATCH, PART_OF_LIST, Client, Object
from spiderpool.kube.paths import collection_path, object_path
from spiderpool.kube.resources import Resource
from spiderpool.kube.status import error_of

CONNECT_SECONDS = 5.0
REQUEST_TIMEOUT = aiohttp.ClientTimeout(30.0, sock_connect=CONNECT_SECONDS)
WATCH_SECONDS = 300
"""How long the server is asked to keep a watch open, before some random spread."""
IDLE_SECONDS = 150.0
"""A watch that is silent for longer is ended: it may be dead. Bookmarks come once a minute, the
first one may take two, and where nothing at all is written none comes (kube-apiserver 1.35)."""
DEAD_SECONDS = 16
"""How long a connection lives on without an answer of the other machine's kernel."""
ATTEMPTS_WHEN_BUSY = 5
"""How often a request is sent when the server answers 429 and says when to come back."""

JSON = "application/json"


def connect(kubeconfig: str | None = None) -> Client:
    """A client by the kubeconfig at that path; see :func:`access.find_access` for None.

    Raises:
        BadInput: naming the file and the field, when the configuration cannot be used.
    """
    return HttpClient(find_access(kubeconfig))


class HttpClient:
    """:class:`spiderpool.kube.api.Client` on one pool of connections."""

    def __init__(self, access: Access, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._access = access
        self._idle_seconds = idle_seconds
        self._session: aiohttp.ClientSession | None = None

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        return await self._request("GET", object_path(resource, name, namespace))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Object:
        parts = [
            part
            async for part in self.list_parts(
                resource, namespace, label_selector=label_selector, field_selector=field_selector
            )
        ]
        version = (parts[0].get("metadata") or {}).get("resourceVersion", "")
        items = [item for part in parts for item in part.get("items") or ()]
        return parts[0] | {"metadata": {"resourceVersion": version}, "items": items}

    async def list_parts(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        most: int = PART_OF_LIST,
    ) -> AsyncIterator[Object]:
        path, query = collection_path(resource, namespace), {"limit": str(most)}
        query |= {"labelSelector": label_selector, "fieldSelector": field_selector}
        while True:
            part = await self._request("GET", path, query)
            yield part
            query["continue"] = (part.get("metadata") or {}).get("continue") or ""
            if not query["continue"]:
                return

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncIterator[Object]:
        path = collection_path(resource, namespace)
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(round(WATCH_SECONDS * random.uniform(1, 1.5))),  # noqa: S311
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        timing = aiohttp.ClientTimeout(
            sock_connect=CONNECT_SECONDS, sock_read=self._idle_seconds, total=None
        )
        try:
            async with await self._send(_Request("GET", path, query), timing) as response:
                if response.status != 200:
                    raise error_of(response.status, _decoded(await response.read()), f"GET {path}")
                with suppress(TimeoutError):
                    async for line in _lines(response.content):
                        yield _event(line, path)
        except (aiohttp.ClientError, OSError) as exc:
            raise Unreachable(f"watch {path}: {_words(exc)}") from exc

    async def page(
        self, path: str, query: Mapping[str, str] | None = None, *, most: int = LARGEST_PAGE
    ) -> bytes:
        request, data = _Request("GET", path, query or {}), b""
        try:
            async with await self._send(request, REQUEST_TIMEOUT) as response:
                async for chunk in response.content.iter_any():
                    data += chunk
                    if len(data) >= most:
                        break
                if response.status >= 300:
                    raise error_of(response.status, _decoded(data), str(request))
        except (aiohttp.ClientError, OSError) as exc:
            raise Unreachable(f"{request}: {_words(exc)}") from exc
        return data[:most]

    async def create(self, resource: Resource, obj: Object, *, dry_run: bool = False) -> Object:
        path = collection_path(resource, obj["metadata"].get("namespace"))
        query = {"dryRun": "All" if dry_run else ""}
        return await self._request("POST", path, query, body=_named_by_kind(resource, obj))

    async def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        metadata = obj["metadata"]
        path = object_path(resource, metadata["name"], metadata.get("namespace"), subresource)
        return await self._request("PUT", path, body=_named_by_kind(resource, obj))

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
        field_manager: str = "",
    ) -> Object:
        path = object_path(resource, name, namespace, subresource)
        query = {"fieldManager": field_manager}
        return await self._request("PATCH", path, query, body=body, content_type=content_type)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str = "",
        grace_seconds: int | None = None,
        propagation: str = "",
    ) -> None:
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if propagation:
            options["propagationPolicy"] = propagation
        await self._request("DELETE", object_path(resource, name, namespace), body=options)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: object = None,
        content_type: str = JSON,
    ) -> Object:
        """One request and its JSON answer; sent again only where nothing can have happened."""
        request = _Request(method, path, query or {}, body, content_type)
        refused_before = False
        for attempt in range(1, ATTEMPTS_WHEN_BUSY + 1):
            try:
                async with await self._send(request, REQUEST_TIMEOUT) as response:
                    answer = _decoded(await response.read())
                    code, wait = response.status, response.headers.get("Retry-After", "")
            except (aiohttp.ClientError, OSError) as exc:
                raise Unreachable(f"{request}: {_words(exc)}") from exc
            if code == 401 and not refused_before:
                refused_before = True
                self._access.credentials.refused()
            elif code == 429 and wait.isdigit() and attempt < ATTEMPTS_WHEN_BUSY:
                await asyncio.sleep(min(int(wait), 10))
            else:
                break
        if code >= 300:
            raise error_of(code, answer, str(request))
        if not isinstance(answer, dict):
            raise Unreachable(f"{request}: the answer is not a JSON object")
        return answer

    async def _send(
        self, request: _Request, timing: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = _open_session(self._access)
        try:
            headers = {"Authorization": await self._access.credentials.authorization()}
        except BadInput as exc:  # a file that is being rotated is no fault of the request
            raise Unreachable(f"{request}: {exc}") from exc
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        return await self._session.request(
            request.method,
            URL(self._access.server + request.target, encoded=True),
            data=None if request.body is None else orjson.dumps(request.body),
            headers={key: value for key, value in headers.items() if value},
            timeout=timing,
            proxy=self._access.proxy,
        )


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, str]
    body: object = None
    content_type: str = JSON

    @property
    def target(self) -> str:
        given = urlencode({key: value for key, value in self.query.items() if value})
        return self.path + (f"?{given}" if given else "")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def open_socket(info: AddrInfoType) -> socket.socket:
    """A socket of which the kernel finds out within :data:`DEAD_SECONDS` that nobody is at its
    other end any more, whether it waits for events or has sent a request (tcp(7))."""
    opened = socket.socket(*info[:3])
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, DEAD_SECONDS // 2),
        (socket.TCP_KEEPINTVL, DEAD_SECONDS // 4),
        (socket.TCP_USER_TIMEOUT, DEAD_SECONDS * 1000),
    ):
        opened.setsockopt(socket.IPPROTO_TCP, option, value)
    return opened


def _open_session(access: Access) -> aiohttp.ClientSession:
    """Watches hold a connection each, so the pool has no limit; answers come uncompressed,
    since the server would spend more on gzip than the wire does."""
    connector = aiohttp.TCPConnector(
        limit=0, ssl=access.tls or True, keepalive_timeout=60, socket_factory=open_socket
    )
    headers = {"Accept": JSON, "Accept-Encoding": "identity", "User-Agent": "spiderpool"}
    return aiohttp.ClientSession(connector=connector, headers=headers, raise_for_status=False)


def _named_by_kind(resource: Resource, obj: Object) -> Object:
    """Items of a list of built-in objects do not say what they are; a write has to."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length: StreamReader.readline() refuses long ones."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line


def _event(line: bytes, path: str) -> Object:
    event = _decoded(line)
    if not isinstance(event, dict) or "type" not in event:
        raise Unreachable(f"watch {path}: the answer is not a watch event")
    if event["type"] == "ERROR":
        status = event.get("object") or {}
        raise error_of(int(status.get("code") or 500), status, f"watch {path}")
    return event


def _decoded(data: bytes) -> Any:
    try:
        return orjson.loads(data) if data else {}
    except orjson.JSONDecodeError:
        return None


def _reason(error: OSError) -> str:
    """What the system, the resolver or TLS says; asyncio puts the address before it."""
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _words(exc: BaseException) -> str:
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    if isinstance(exc, aiohttp.ClientConnectorCertificateError):
        reason = getattr(exc.certificate_error, "verify_message", str(exc.certificate_error))
        return f"the certificate of {exc.host}:{exc.port} is not accepted: {reason}"
    if isinstance(exc, aiohttp.ClientConnectorError):
        return f"cannot connect to {exc.host}:{exc.port}: {_reason(exc.os_error)}"
    return str(exc) or type(exc).__name__
