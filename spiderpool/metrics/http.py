"""HTTP for kubelet and Prometheus: health at upstream's paths, and ``/metrics``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spiderpool.errors import BadInput
from spiderpool.metrics.text import CONTENT_TYPE, Metric, exposition

if TYPE_CHECKING:
    from aiohttp import web

RUNTIME = "/v1/runtime"
WORDS_OF_READINESS = ("startup", "readiness")


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server listens; port 0 is any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Pages:
    """What is served. ``problems``: why the program is not ready; none when it is. ``remarks``:
    what is wrong with it all the same."""

    problems: Callable[[], list[str]]
    metrics: Callable[[], Iterable[Metric]]
    remarks: Callable[[], list[str]] = list


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--health-listen`` and ``--metrics-listen``."""
    for word, what in (("health", f"{RUNTIME}/readiness and so on"), ("metrics", "/metrics")):
        parser.add_argument(
            f"--{word}-listen", metavar="HOST:PORT", help=f"serve {what} there; default: do not"
        )


def parse_listen(text: str | None, option: str) -> Listen | None:
    """``HOST:PORT``; None where nothing is given.

    Raises:
        BadInput: it is something else.
    """
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise BadInput(option, f"{text!r} is not HOST:PORT", "write it like 0.0.0.0:5711")
    return Listen(host.strip("[]"), int(port))


async def serve(
    pages: Pages,
    *,
    health: Listen | None,
    metrics: Listen | None,
    started: Callable[[list[int]], None] = lambda ports: None,
) -> None:
    """Serve what has an address until cancelled; ``started`` gets the ports really used.

    Liveness says that the event loop runs; startup and readiness say that an ADD would be
    served or, with status 500, why not.

    Raises:
        BadInput: one of the addresses cannot be listened on.
    """
    if health is None and metrics is None:
        return
    from aiohttp import web  # noqa: PLC0415  # 40 ms, which who asks for no page is spared

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(request: web.Request) -> web.Response:
        wrong = pages.problems()
        lines = wrong or ["ok", *pages.remarks()]
        return web.Response(text="\n".join(lines) + "\n", status=500 if wrong else 200)

    async def numbers(request: web.Request) -> web.Response:
        body = exposition(pages.metrics()).encode()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    apps = {
        "--health-listen": (health, {f"{RUNTIME}/{word}": ready for word in WORDS_OF_READINESS}),
        "--metrics-listen": (metrics, {"/metrics": numbers}),
    }
    apps["--health-listen"][1][f"{RUNTIME}/liveness"] = alive
    runners: list[web.AppRunner] = []
    try:
        for option, (listen, handlers) in apps.items():
            if listen is not None:
                app = web.Application()
                app.add_routes([web.get(path, handler) for path, handler in handlers.items()])
                runners.append(web.AppRunner(app, access_log=None, handle_signals=False))
                await runners[-1].setup()
                await _listen(web.TCPSite(runners[-1], listen.host, listen.port), option)
        started([address[1] for runner in runners for address in runner.addresses])
        await asyncio.Event().wait()
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))


async def _listen(site: web.TCPSite, option: str) -> None:
    try:
        await site.start()
    except OSError as exc:
        raise BadInput(option, f"{site.name} cannot be listened on: {exc.strerror}") from None
