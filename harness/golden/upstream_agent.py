"""What upstream's plugins ask of upstream's agent, answered in its place."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from spiderpool.agent.configuration import DEFAULT_ROUTE_NIC
from spiderpool.errors import NotFound
from spiderpool.kube.api import Client
from spiderpool.kube.resources import POD, SPIDERCOORDINATOR
from spiderpool.types.coordinator import DEFAULT_COORDINATOR

Object = dict[str, Any]

AGENT_SOCKET = Path("/run/spidernet/spiderpool.sock")
"""Where upstream's agent listens; ``/run`` is the sandbox' own."""

_FROM_SPEC = (
    "mode", "hijackCIDR", "policyRoutes", "podMACPrefix", "tunePodRoutes", "podDefaultRouteNIC",
    "hostRuleTable", "podRPFilter", "txQueueLen", "vethLinkAddress", "vethMTU",
)  # fmt: skip

Answers = Callable[[Mapping[str, Any]], Awaitable[Object]]
"""From the question, ``podName`` and ``podNamespace``, to the coordinator's configuration."""


@asynccontextmanager
async def upstream_agent(answers: Answers) -> AsyncIterator[None]:
    """Serve ``GET /v1/coordinator/config``. Call it inside a sandbox."""

    async def answer(request: web.Request) -> web.Response:
        text = await request.text()
        try:
            return web.json_response(await answers(json.loads(text) if text else {}))
        except NotFound as missing:
            return web.json_response({"message": str(missing)}, status=500)

    AGENT_SOCKET.parent.mkdir(exist_ok=True)
    application = web.Application()
    application.router.add_get("/v1/coordinator/config", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(AGENT_SOCKET)).start()
        yield
    finally:
        await runner.cleanup()


def coordinator_answers(client: Client) -> Answers:
    """From the SpiderCoordinator and the pod's annotation, as upstream's agent does."""

    async def answers(question: Mapping[str, Any]) -> Object:
        found = await client.get(SPIDERCOORDINATOR, DEFAULT_COORDINATOR)
        pod = await client.get(POD, question["podName"], question["podNamespace"])
        return coordinator_answer(found, pod["metadata"].get("annotations") or {})

    return answers


def coordinator_answer(coordinator: Object, annotations: Mapping[str, str]) -> Object:
    """The configuration that upstream's agent derives from both."""
    spec, status = coordinator["spec"], coordinator.get("status") or {}
    told = {key: spec[key] for key in _FROM_SPEC if spec.get(key) is not None}
    if nic := annotations.get(DEFAULT_ROUTE_NIC):
        told["podDefaultRouteNIC"] = nic
    cidrs = {key: status.get(key) or [] for key in ("overlayPodCIDR", "serviceCIDR")}
    return {"tunePodRoutes": True, **told, **cidrs}
