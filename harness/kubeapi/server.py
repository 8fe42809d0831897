"""The HTTP shell: routes, errors as Status objects, a port that listens."""

from __future__ import annotations

import logging
import ssl
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from harness.kubeapi import discovery, openapi, resources, status
from harness.kubeapi.answers import error_answer, json_answer
from harness.kubeapi.cluster import Cluster
from harness.kubeapi.negotiate import wants_aggregated_discovery
from harness.kubeapi.objects import Object
from harness.kubeapi.resources import WARNINGS
from harness.kubeapi.status import ApiError

log = logging.getLogger(__name__)

_MOST_BYTES = 3 * 1024 * 1024
"""Longer bodies are refused (k8s.io/apiserver, MaxRequestBodyBytes)."""
_STOP_SECONDS = 0.1


class Server:
    """Serves one cluster's state. ``token`` is demanded of every client when it is given."""

    def __init__(self, cluster: Cluster, token: str = "") -> None:
        self._cluster = cluster
        self._token = token
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> str:
        """Listen; answers the URL, which has the real port where 0 was asked for."""
        app = web.Application(client_max_size=_MOST_BYTES, middlewares=[_guard(self._token)])
        app.add_routes(
            [
                web.get("/version", self._version),
                web.get("/{path:healthz|livez|readyz}", self._health),
                web.get("/{root:api|apis}", self._roots),
                web.get("/{root:api|apis}/", self._roots),
                web.get("/apis/{group}", self._group),
                web.get("/apis/{group}/{version}", self._version_resources),
                web.get("/api/{version}", self._version_resources),
                web.get("/openapi/v2", self._openapi_v2),
                web.get("/openapi/v3", self._openapi_index),
                web.get("/openapi/v3/apis/{group}/{version}", self._openapi_v3),
                web.get("/openapi/v3/api/{version}", self._openapi_v3),
                web.route("*", "/{path:.*}", self._resource),
            ]
        )
        app.on_response_prepare.append(_warn)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_STOP_SECONDS
        )
        await runner.setup()
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        await site.start()
        self._runner = runner
        bound = runner.addresses[0]
        where = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        return f"{'https' if tls else 'http'}://{where}:{bound[1]}"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _resource(self, http: web.Request) -> web.StreamResponse:
        return await resources.handle(self._cluster, http)

    async def _version(self, _: web.Request) -> web.Response:
        return json_answer(discovery.version_info())

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _roots(self, http: web.Request) -> web.Response:
        core = http.match_info["root"] == "api"
        version = wants_aggregated_discovery(http.headers.get("Accept", ""))
        if version:
            found = discovery.aggregated(self._cluster.registry, version, core=core)
            answer = json_answer(found)
            media = "application/json;g=apidiscovery.k8s.io"
            answer.headers["Content-Type"] = f"{media};v={version};as=APIGroupDiscoveryList"
            return answer
        server = urlsplit(str(http.url)).netloc
        registry = self._cluster.registry
        return json_answer(
            discovery.core_versions(server) if core else discovery.group_list(registry)
        )

    async def _group(self, http: web.Request) -> web.Response:
        group = http.match_info["group"]
        versions = self._cluster.registry.versions().get(group)
        if not versions:
            raise status.no_such_path()
        found = discovery.api_group(group, versions)
        return json_answer({"kind": "APIGroup", "apiVersion": "v1", **found})

    async def _version_resources(self, http: web.Request) -> web.Response:
        group, version = self._asked_version(http)
        return json_answer(discovery.resource_list(self._cluster.registry, group, version))

    def _asked_version(self, http: web.Request) -> tuple[str, str]:
        group, version = http.match_info.get("group", ""), http.match_info["version"]
        if version not in self._cluster.registry.versions().get(group, ()):
            raise status.no_such_path()
        return group, version

    async def _openapi_index(self, _: web.Request) -> web.Response:
        registry = self._cluster.registry
        return json_answer(openapi.index(registry, str(registry.generation)))

    async def _openapi_v3(self, http: web.Request) -> web.Response:
        group, version = self._asked_version(http)
        document: Object = openapi.document_v3(self._cluster.registry, group, version)
        return json_answer(document)

    async def _openapi_v2(self, http: web.Request) -> web.Response:
        if "protobuf" in http.headers.get("Accept", "") and "json" not in http.headers["Accept"]:
            raise status.not_acceptable(["application/json"])
        return json_answer(openapi.document_v2(self._cluster.registry))


async def _warn(request: web.Request, answer: web.StreamResponse) -> None:
    """Each warning is a header that kubectl prints (RFC 7234 section 5.5)."""
    for warning in request.get(WARNINGS) or ():
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        answer.headers.add("Warning", f'299 - "{quoted}"')


def _guard(token: str) -> Middleware:
    """Authentication, and every failure as a Status."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if token and request.headers.get("Authorization") != f"Bearer {token}":
                raise status.unauthorized()
            return await handler(request)
        except ApiError as error:
            return error_answer(error)
        except web.HTTPRequestEntityTooLarge:
            message = f"Request entity too large: limit is {_MOST_BYTES}"
            return error_answer(ApiError(413, "RequestEntityTooLarge", message))
        except ConnectionResetError:
            raise
        except web.HTTPException:
            return error_answer(status.no_such_path())
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            message = f"Internal error occurred: {error!r}"
            return error_answer(ApiError(500, "InternalError", message))

    return guarded
