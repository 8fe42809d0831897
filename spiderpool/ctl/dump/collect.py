"""Asks the API for everything that belongs into the archive, some of it at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from spiderpool.controller.caches import SYSTEM_NAMESPACE
from spiderpool.controller.clusterconfig import KUBEADM_CONFIG
from spiderpool.controller.discovery import CILIUM_CONFIG
from spiderpool.ctl.dump.archive import Archive
from spiderpool.ctl.dump.redaction import (
    has_our_annotations,
    scrubbed,
    trimmed,
    trimmed_definition,
    trimmed_pod,
)
from spiderpool.ctl.installation.facts import LABELS, SELECTORS, labels_of
from spiderpool.errors import KubeError, NotFound
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Object
from spiderpool.kube.paths import log_path, proxy_path
from spiderpool.kube.resources import GROUP, Resource
from spiderpool.metrics.http import RUNTIME

AT_ONCE = 8
SECONDS_EACH = 20.0
LARGEST_LOG = 4 << 20
KINDS = (
    resources.SPIDERIPPOOL,
    resources.SPIDERIPBLOCK,
    resources.SPIDERSUBNET,
    resources.SPIDERENDPOINT,
    resources.SPIDERRESERVEDIP,
    resources.SPIDERMULTUSCONFIG,
    resources.SPIDERCOORDINATOR,
    resources.NETWORKATTACHMENT,
    resources.NODE,
    resources.DAEMONSET,
    resources.DEPLOYMENT,
    resources.JOB,
    resources.LEASE,
    resources.MUTATINGWEBHOOK,
    resources.VALIDATINGWEBHOOK,
)
"""Listed as they are, but for what is trimmed; Secrets are not among them."""
CONFIG_MAPS = (KUBEADM_CONFIG, CILIUM_CONFIG)
OF_PODS = ("FailedCreatePodSandBox",)
"""Reasons of others' events that tell of CNI calls."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file to be: ``fetch`` returns its content, None where there is nothing to be had."""

    path: str
    what: str
    fetch: Callable[[], Awaitable[str | None]]


async def collect(client: Client, archive: Archive, seconds: float) -> None:
    """Fill the archive; what cannot be had in time, or at all, is noted in it."""
    room = asyncio.Semaphore(AT_ONCE)
    waiting: dict[asyncio.Task[None], Item] = {}

    async def put(item: Item) -> None:
        async with room:
            try:
                async with asyncio.timeout(SECONDS_EACH):
                    text = await item.fetch()
            except KubeError as error:
                archive.fail(item.what, str(error))
            except TimeoutError:
                archive.fail(item.what, f"not answered within {SECONDS_EACH:.0f} s")
            else:
                if text is not None:
                    archive.add(item.path, item.what, scrubbed(text).encode())

    def start(items: Iterable[Item]) -> None:
        waiting.update({asyncio.create_task(put(item)): item for item in items})

    start(_of_cluster(client))
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with asyncio.timeout_at(deadline):
            start(await _of_components(client, archive))
            await asyncio.gather(*waiting)
    except TimeoutError:
        for task, item in waiting.items():
            if not task.done() or task.cancelled():
                archive.fail(item.what, f"not collected within {seconds:.0f} s")
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def _of_cluster(client: Client) -> Iterable[Item]:
    """Objects, in one file a kind."""
    yield Item("version.json", "version of Kubernetes", partial(_page, client, "/version"))
    for kind in KINDS:
        yield _listing(client, kind, lambda objects: [trimmed(obj) for obj in objects])
    yield _listing(client, resources.POD, _pods)
    yield _listing(client, resources.EVENT, _events)
    yield _listing(client, resources.CRD, _definitions)
    for name in CONFIG_MAPS:
        yield Item(
            f"objects/configmaps/{name}.json", f"ConfigMap {name}", _config_map(client, name)
        )


def _listing(
    client: Client, kind: Resource, choose: Callable[[list[Object]], list[Object]]
) -> Item:
    async def fetch() -> str | None:
        try:
            found = (await client.list(kind, **SELECTORS.get(kind, {})))["items"]
        except NotFound:
            return None
        return json.dumps(choose(found), indent=1, sort_keys=True)

    group = f".{kind.group}" if kind.group else ""
    return Item(f"objects/{kind.plural}{group}.json", f"objects of kind {kind.kind}", fetch)


def _pods(objects: list[Object]) -> list[Object]:
    """Ours, and those that ask for NICs."""
    mine = [o for o in objects if has_our_annotations(o) or is_component(o)]
    return [trimmed_pod(obj, arguments=is_component(obj)) for obj in mine]


def _events(objects: list[Object]) -> list[Object]:
    """What we said, what was said about our objects, and failures of CNI calls."""
    return [
        trimmed(o)
        for o in objects
        if str((o.get("source") or {}).get("component", "")).startswith("spiderpool")
        or str((o.get("involvedObject") or {}).get("apiVersion", "")).startswith(GROUP)
        or o.get("reason") in OF_PODS
    ]


def _definitions(objects: list[Object]) -> list[Object]:
    groups = (GROUP, resources.NETWORKATTACHMENT.group)
    return [trimmed_definition(o) for o in objects if o["spec"]["group"] in groups]


def _config_map(client: Client, name: str) -> Callable[[], Awaitable[str | None]]:
    async def fetch() -> str | None:
        try:
            found = await client.get(resources.CONFIGMAP, name, SYSTEM_NAMESPACE)
        except NotFound:
            return None
        return json.dumps(trimmed(found), indent=1, sort_keys=True)

    return fetch


def is_component(pod: Object) -> bool:
    """Whether the chart made it."""
    return LABELS.partition("=")[2] == labels_of(pod).get("app.kubernetes.io/name")


async def _of_components(client: Client, archive: Archive) -> list[Item]:
    """Logs and pages of each of our pods."""
    try:
        found = (await client.list(resources.POD, label_selector=LABELS))["items"]
    except KubeError as error:
        archive.fail("logs and pages of components", str(error))
        return []
    return [item for pod in found for item in _of_pod(client, pod)]


def _of_pod(client: Client, pod: Object) -> Iterable[Item]:
    metadata, spec = pod["metadata"], pod["spec"]
    namespace, name = metadata["namespace"], metadata["name"]
    restarted = {
        status["name"]
        for status in (pod.get("status") or {}).get("containerStatuses") or ()
        if int(status.get("restartCount") or 0)
    }
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        what = f"log of Pod {name}, container {container['name']}"
        path = f"logs/{namespace}/{name}/{container['name']}"
        query = {"container": container["name"], "limitBytes": str(LARGEST_LOG)}
        query |= {"timestamps": "true", "tailLines": "20000"}
        yield _log(client, f"{path}.log", what, log_path(namespace, name), query)
        if container["name"] in restarted:
            before = query | {"previous": "true"}
            yield _log(client, f"{path}.previous.log", f"{what}, before its restart",
                       log_path(namespace, name), before)  # fmt: skip
        yield from _pages(client, pod, container)


def _log(client: Client, path: str, what: str, at: str, query: dict[str, str]) -> Item:
    return Item(path, what, partial(_page, client, at, query))


def _pages(client: Client, pod: Object, container: dict[str, Any]) -> Iterable[Item]:
    """Numbers and health, by the API server's proxy."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    pages = {"metrics": "/metrics", "health": f"{RUNTIME}/readiness"}
    for port in container.get("ports") or ():
        if (page := pages.get(port.get("name", ""))) is not None:
            at = proxy_path("pods", namespace, f"{name}:{port['containerPort']}", page)
            path = f"pages/{namespace}/{name}/{port['name']}.txt"
            what = f"{port['name']} of Pod {name}"
            yield Item(path, what, partial(_page, client, at))


async def _page(client: Client, path: str, query: dict[str, str] | None = None) -> str:
    return (await client.page(path, query, most=LARGEST_LOG)).decode(errors="replace")
