"""Health and metrics over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

from spiderpool.errors import BadInput
from spiderpool.metrics.http import Listen, Pages, parse_listen, serve
from spiderpool.metrics.text import counter

LOCAL = Listen("127.0.0.1", 0)


async def get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


def asked(
    problems: list[str], *paths: str, remarks: Sequence[str] = (), **listen: Any
) -> list[tuple[int, str]]:
    """What each path of the one server answers."""

    async def story() -> list[tuple[int, str]]:
        ports: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        numbers = [counter("a_counts", "Things.", 1)]
        pages = Pages(lambda: problems, lambda: numbers, lambda: list(remarks))
        wanted = {"health": None, "metrics": None} | listen
        work = asyncio.create_task(serve(pages, **wanted, started=ports.set_result))
        async with asyncio.timeout(10):
            (port,) = await ports
            answers = [await get(port, path) for path in paths]
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return answers

    return asyncio.run(story())


def test_health_says_what_is_missing() -> None:
    paths = [f"/v1/runtime/{word}" for word in ("startup", "readiness", "liveness")]
    assert asked([], *paths, health=LOCAL) == [(200, "ok\n")] * 3
    missing = (500, "pods: not listed yet\n")
    assert asked(["pods: not listed yet"], *paths, health=LOCAL) == [
        missing,
        missing,
        (200, "ok\n"),
    ]


def test_health_says_what_is_wrong_beside() -> None:
    page, remarks = "/v1/runtime/readiness", ["jobs: forbidden"]
    assert asked([], page, remarks=remarks, health=LOCAL) == [(200, "ok\njobs: forbidden\n")]
    assert asked(["no pods"], page, remarks=remarks, health=LOCAL) == [(500, "no pods\n")]


def test_metrics_are_served_alone() -> None:
    (found, health) = asked([], "/metrics", "/v1/runtime/liveness", metrics=LOCAL)
    assert found == (200, "# HELP a_counts Things.\n# TYPE a_counts counter\na_counts 1\n")
    assert health[0] == 404


def test_nothing_is_served_where_nothing_is_asked_for() -> None:
    async def ends_at_once() -> None:
        await asyncio.wait_for(serve(Pages(list, list), health=None, metrics=None), 5)

    asyncio.run(ends_at_once())


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = Listen("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(BadInput, match=r"^--metrics-listen: http://127.0.0.1:\d+ cannot be"):
            asyncio.run(serve(Pages(list, list), health=None, metrics=at))


@pytest.mark.parametrize("text", ["5711", ":5711", "host:", "host:http", "host:70000"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"^--x: .* is not HOST:PORT; write it like"):
        parse_listen(text, "--x")


def test_an_address_of_ipv6() -> None:
    assert parse_listen("[::1]:5711", "--x") == Listen("::1", 5711)
    assert parse_listen(None, "--x") is None
