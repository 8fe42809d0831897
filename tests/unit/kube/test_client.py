"""The HTTP client against a server that misbehaves in each way that matters."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from spiderpool.errors import (
    AlreadyExists,
    BadInput,
    Conflict,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    Unreachable,
)
from spiderpool.kube.access import Access, FixedCredentials, TokenFile
from spiderpool.kube.api import PART_OF_LIST
from spiderpool.kube.client import DEAD_SECONDS, HttpClient, connect, open_socket
from spiderpool.kube.resources import CONFIGMAP, NODE, POD

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(
    respond: Respond, credentials: object = None, idle: float = 5.0
) -> AsyncIterator[HttpClient]:
    runner = web.ServerRunner(web.Server(respond), shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    access = Access(f"http://{host}:{port}", None, credentials or FixedCredentials())  # type: ignore[arg-type]
    client = HttpClient(access, idle_seconds=idle)
    try:
        async with asyncio.timeout(10):
            yield client
    finally:
        await client.close()
        await runner.cleanup()


def status(code: int, reason: str, message: str = "no") -> web.Response:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return web.json_response(body, status=code)


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (422, "Invalid", Invalid),
        (403, "Forbidden", KubeError),
        (500, "InternalError", Unreachable),
        (503, "ServiceUnavailable", Unreachable),
        (504, "Timeout", Unreachable),
    ],
)
def test_each_status_is_its_error(code: int, reason: str, expected: type[KubeError]) -> None:
    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            return status(code, reason, "these words")

        async with serving(respond) as client:
            with pytest.raises(expected, match="these words") as caught:
                await client.get(NODE, "n")
            assert type(caught.value) is expected

    asyncio.run(main())


def test_an_answer_that_is_no_status_still_says_what_was_asked() -> None:
    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=403, text="<html>")

        async with serving(respond) as client:
            with pytest.raises(KubeError, match="GET /api/v1/nodes/n: the API server answered 403"):
                await client.get(NODE, "n")

    asyncio.run(main())


def test_a_cut_answer_leaves_the_outcome_unknown() -> None:
    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            await request.read()
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        async with serving(respond) as client:
            with pytest.raises(Unreachable, match="POST /api/v1/nodes"):
                await client.create(NODE, {"metadata": {"name": "n"}})

    asyncio.run(main())


def authority(folder: Path, host: str, days: int) -> Path:
    """A certificate of that many days for an address, that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api")])
    now = datetime.now(UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(addresses, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}-{days}.pem"
    path.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


@pytest.mark.parametrize(
    ("host", "days", "words"),
    [
        ("127.0.0.1", -1, "is not accepted: certificate has expired"),
        ("10.0.0.1", 1, "is not accepted: IP address mismatch, certificate is not valid for"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(
    tmp_path: Path, host: str, days: int, words: str
) -> None:
    async def main() -> None:
        path = authority(tmp_path, host, days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        tls = ssl.create_default_context(cafile=path)
        client = HttpClient(Access(f"https://127.0.0.1:{port}", tls, FixedCredentials()))
        with pytest.raises(Unreachable, match=f"certificate of 127.0.0.1:{port} {words}"):
            await client.get(NODE, "n")
        await client.close()
        server.close()

    asyncio.run(main())


@pytest.mark.parametrize("content", [None, b"", b"a\x00b", b"\xff"])
def test_a_token_file_without_a_token_is_waited_for(tmp_path: Path, content: bytes | None) -> None:
    """Who rotates it may be half done: that is no fault of any object."""
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"said": request.headers["Authorization"]})

    async def main() -> None:
        async with serving(respond, TokenFile(token)) as client:
            with pytest.raises(Unreachable, match=f"GET /api/v1/nodes/n: {token}: "):
                await client.get(NODE, "n")
            token.write_text("new\n")
            assert (await client.get(NODE, "n")) == {"said": "Bearer new"}

    asyncio.run(main())


def test_the_kernel_watches_over_each_connection() -> None:
    with open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as opened:
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        timeout = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        first = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    assert timeout == DEAD_SECONDS * 1000
    assert first < DEAD_SECONDS


def test_nobody_listening_is_unreachable() -> None:
    async def main() -> None:
        client = HttpClient(Access("http://127.0.0.1:1", None, FixedCredentials()))
        with pytest.raises(Unreachable, match="GET /api/v1/nodes/n"):
            await client.get(NODE, "n")
        await client.close()

    asyncio.run(main())


def test_a_long_list_is_asked_for_in_parts() -> None:
    asked: list[tuple[str, str]] = []

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        query = request.query
        asked.append((query.get("limit", ""), query.get("continue", "")))
        start = int(query.get("continue", "0"))
        metadata = {"resourceVersion": "7", "continue": str(start + 1) if start < 2 else ""}
        item = {"metadata": {"name": f"n{start}"}}
        return web.json_response({"kind": "NodeList", "metadata": metadata, "items": [item]})

    async def main() -> None:
        async with serving(respond) as client:
            whole = await client.list(NODE)
        assert [item["metadata"]["name"] for item in whole["items"]] == ["n0", "n1", "n2"]
        assert whole["metadata"] == {"resourceVersion": "7"}
        limit = str(PART_OF_LIST)
        assert asked == [(limit, ""), (limit, "1"), (limit, "2")]

    asyncio.run(main())


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    asked = []

    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            asked.append(request.path)
            if len(asked) < 3:
                return web.Response(status=429, headers={"Retry-After": "0"})
            return web.json_response({"kind": "Node"})

        async with serving(respond) as client:
            assert await client.get(NODE, "n") == {"kind": "Node"}

    asyncio.run(main())
    assert len(asked) == 3


def test_a_rotated_token_is_read_again_after_a_refusal(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    seen = []

    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            seen.append(request.headers["Authorization"])
            if seen[-1] != "Bearer new":
                token.write_text("new\n")
                return status(401, "Unauthorized")
            return web.json_response({})

        async with serving(respond, TokenFile(token)) as client:
            await client.get(NODE, "n")
            await client.get(NODE, "n")

    asyncio.run(main())
    assert seen == ["Bearer old", "Bearer new", "Bearer new"]


def test_a_token_that_stays_wrong_is_an_error() -> None:
    asked = []

    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            asked.append(request.path)
            return status(401, "Unauthorized", "who are you")

        async with serving(respond) as client:
            with pytest.raises(KubeError, match="who are you"):
                await client.get(NODE, "n")

    asyncio.run(main())
    assert len(asked) == 2


def streaming(*chunks: bytes, hang: bool = False) -> Respond:
    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0.01)
        if hang:
            await asyncio.sleep(3600)
        return response

    return respond


def event(name: str, padding: str = "") -> bytes:
    body = f'{{"type":"ADDED","object":{{"metadata":{{"name":"{name}","x":"{padding}"}}}}}}\n'
    return body.encode()


async def names(client: HttpClient) -> list[str]:
    found = []
    async for told in client.watch(POD, resource_version="1"):
        found.append(told["object"]["metadata"]["name"])
    return found


def test_a_watch_reads_lines_of_any_length_cut_anywhere() -> None:
    async def main() -> None:
        stream = event("a") + event("b", "x" * 300_000) + event("c")
        pieces = [stream[start : start + 70_001] for start in range(0, len(stream), 70_001)]
        async with serving(streaming(*pieces)) as client:
            assert await names(client) == ["a", "b", "c"]

    asyncio.run(main())


def test_a_silent_watch_ends() -> None:
    async def main() -> None:
        async with serving(streaming(event("a"), hang=True), idle=0.05) as client:
            assert await names(client) == ["a"]

    asyncio.run(main())


def test_an_error_on_a_watch_is_raised() -> None:
    async def main() -> None:
        error = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}\n'
        async with serving(streaming(event("a"), error)) as client:
            with pytest.raises(Gone, match="too old"):
                await names(client)

    asyncio.run(main())


def test_a_watch_asks_for_bookmarks_and_selects() -> None:
    asked: list[dict[str, str]] = []

    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            asked.append(dict(request.query))
            return web.Response()

        async with serving(respond) as client:
            watching = client.watch(
                POD, "ns", resource_version="7", field_selector="spec.nodeName=a,b!=c"
            )
            assert [told async for told in watching] == []

    asyncio.run(main())
    query = asked[0]
    assert int(query.pop("timeoutSeconds")) >= 300
    assert query == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": "7",
        "fieldSelector": "spec.nodeName=a,b!=c",
    }


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a%2fb"])
def test_a_name_is_one_segment_of_the_path_or_refused(name: str) -> None:
    async def main() -> None:
        client = HttpClient(Access("http://127.0.0.1:1", None, FixedCredentials()))
        with pytest.raises(BadInput):
            await client.get(NODE, name)
        with pytest.raises(BadInput):
            await client.get(POD, "p", name)

    asyncio.run(main())


def test_odd_names_are_quoted() -> None:
    asked = []

    async def main() -> None:
        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            asked.append(request.raw_path)
            return web.json_response({})

        async with serving(respond) as client:
            await client.get(CONFIGMAP, "a?b#c d", "default")

    asyncio.run(main())
    assert asked == ["/api/v1/namespaces/default/configmaps/a%3Fb%23c%20d"]


def test_a_kubeconfig_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="config: cannot be read: No such file"):
        connect(str(tmp_path / "config"))
