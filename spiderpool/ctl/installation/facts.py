"""Everything that ``status`` judges by, read from the API at one go."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from spiderpool.ctl.evidence import where_served
from spiderpool.ctl.giving_back import MACHINES
from spiderpool.ctl.installation.probe import Answer, Reached, ask_webhook
from spiderpool.errors import KubeError, Unreachable
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Object
from spiderpool.kube.paths import proxy_path
from spiderpool.kube.resources import Resource
from spiderpool.metrics.http import RUNTIME

LABELS = "app.kubernetes.io/name=spiderpool"
"""Of what the chart installs."""
COMPONENT = "app.kubernetes.io/component"
LEASE_NAME = "spiderpool-controller-leases"
WEBHOOK_NAME = "spiderpool-controller"
SECRET_NAME = "spiderpool-controller-webhook"  # noqa: S105 - a name
INTENTS = "spiderpool_agent_intent_counts"
PAGE_SECONDS = 5.0
PAGES_AT_ONCE = 16

FIRST = (resources.SPIDERIPBLOCK, resources.SPIDERENDPOINT)
"""An owner that is missing after these were read was not merely created in between."""
THEN = (
    resources.CRD,
    resources.NODE,
    resources.POD,
    resources.STATEFULSET,
    resources.SPIDERIPPOOL,
    resources.SPIDERSUBNET,
    resources.SPIDERRESERVEDIP,
    resources.SPIDERCOORDINATOR,
    resources.SPIDERMULTUSCONFIG,
    resources.NETWORKATTACHMENT,
    resources.MUTATINGWEBHOOK,
    resources.VALIDATINGWEBHOOK,
    resources.DAEMONSET,
    resources.DEPLOYMENT,
    resources.JOB,
    resources.LEASE,
)
SELECTORS = {
    resources.DAEMONSET: {"label_selector": LABELS},
    resources.DEPLOYMENT: {"label_selector": LABELS},
    resources.JOB: {"label_selector": LABELS},
    resources.LEASE: {"field_selector": f"metadata.name={LEASE_NAME}"},
    resources.MUTATINGWEBHOOK: {"field_selector": f"metadata.name={WEBHOOK_NAME}"},
    resources.VALIDATINGWEBHOOK: {"field_selector": f"metadata.name={WEBHOOK_NAME}"},
}

NOT_ASKED = Reached(Answer.UNCLEAR)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """``now`` in seconds since 1970; ``certificate`` is the webhook's, PEM, empty when it may
    not be read; ``intents`` are DELs that wait, by pod of an agent whose metrics answer;
    ``behind`` is what a component that is ready cannot follow, by pod."""

    now: float
    version: str = ""
    objects: Mapping[Resource, list[Object]] = field(default_factory=dict)
    unread: Mapping[Resource, KubeError] = field(default_factory=dict)
    machines: list[Object] | None = None
    reached: Reached = NOT_ASKED
    certificate: bytes = b""
    intents: Mapping[str, int] = field(default_factory=dict)
    behind: Mapping[str, list[str]] = field(default_factory=dict)

    def of(self, kind: Resource) -> list[Object]:
        """All that could be read of a kind."""
        return self.objects.get(kind, [])

    def component(self, kind: Resource, name: str) -> list[Object]:
        """What the chart made for ``agent``, ``controller`` or ``multus``, and is to stay."""
        wanted = {COMPONENT: name, "app.kubernetes.io/name": "spiderpool"}
        return [
            obj
            for obj in self.of(kind)
            if wanted.items() <= labels_of(obj).items()
            and not obj["metadata"].get("deletionTimestamp")
        ]


def labels_of(obj: Object) -> Mapping[str, str]:
    """Its labels; empty when it has none."""
    return obj["metadata"].get("labels") or {}


async def look(client: Client) -> Facts:
    """Ask for everything; what is refused is noted, and the rest asked for all the same.

    Raises:
        Unreachable: nobody answers.
    """
    version = await _version(client)
    objects: dict[Resource, list[Object]] = {}
    unread: dict[Resource, KubeError] = {}
    for kinds in (FIRST, THEN):
        answers = await asyncio.gather(*(_list(client, kind) for kind in kinds))
        for kind, answer in zip(kinds, answers, strict=True):
            if isinstance(answer, KubeError):
                unread[kind] = answer
            else:
                objects[kind] = answer
    seen = Facts(now=time.time(), version=version, objects=objects, unread=unread)
    agents, controllers = (seen.component(resources.POD, x) for x in ("agent", "controller"))
    return replace(
        seen,
        machines=await _machines(client),
        reached=await ask_webhook(client, _first_webhook(seen)),
        certificate=await _certificate(client, seen),
        intents=await _intents(client, agents),
        behind=await _behind(client, (*agents, *controllers)),
    )


async def _version(client: Client) -> str:
    """Of Kubernetes; empty where it is not told. Raises Unreachable."""
    try:
        return str(json.loads(await client.page("/version"))["gitVersion"])
    except Unreachable:
        raise
    except KubeError:
        return ""
    except (ValueError, KeyError, TypeError):
        raise Unreachable("GET /version: what answers is not a Kubernetes API") from None


async def _list(client: Client, kind: Resource) -> list[Object] | KubeError:
    try:
        found: list[Object] = (await client.list(kind, **SELECTORS.get(kind, {})))["items"]
    except Unreachable:
        raise
    except KubeError as refusal:
        return refusal
    return found


async def _machines(client: Client) -> list[Object] | None:
    try:
        return await where_served(client, MACHINES)
    except KubeError:
        return None


def _first_webhook(facts: Facts) -> Object | None:
    for configuration in facts.of(resources.VALIDATINGWEBHOOK):
        for webhook in configuration.get("webhooks") or ():
            return dict(webhook)
    return None


async def _certificate(client: Client, facts: Facts) -> bytes:
    """What the Secret shows the world; its keys are not looked at."""
    for lease in facts.of(resources.LEASE):
        with suppress(KubeError, binascii.Error):
            secret = await client.get(resources.SECRET, SECRET_NAME, lease["metadata"]["namespace"])
            return base64.b64decode((secret.get("data") or {}).get("tls.crt", ""), validate=True)
    return b""


async def _intents(client: Client, agents: Iterable[Object]) -> dict[str, int]:
    pages = await _pages(client, agents, "metrics", "/metrics")
    counts = ((name, _gauge(page)) for name, page in pages.items())
    return {name: count for name, count in counts if count is not None}


async def _behind(client: Client, pods: Iterable[Object]) -> dict[str, list[str]]:
    pages = await _pages(client, pods, "health", f"{RUNTIME}/readiness")
    lines = {name: page.decode(errors="replace").splitlines() for name, page in pages.items()}
    return {name: remarks for name, (first, *remarks) in lines.items() if first == "ok"}


async def _pages(client: Client, pods: Iterable[Object], port: str, path: str) -> dict[str, bytes]:
    """By pod, of those that answer with status 200."""
    room = asyncio.Semaphore(PAGES_AT_ONCE)

    async def one(pod: Object, number: int) -> tuple[str, bytes]:
        metadata = pod["metadata"]
        name = f"{metadata['name']}:{number}"
        async with room:
            with suppress(KubeError, TimeoutError):
                async with asyncio.timeout(PAGE_SECONDS):
                    where = proxy_path("pods", metadata["namespace"], name, path)
                    return metadata["name"], await client.page(where)
        return metadata["name"], b""

    asked = [one(pod, number) for pod in pods if (number := port_of(pod, port))]
    return {name: page for name, page in await asyncio.gather(*asked) if page}


def port_of(pod: Object, name: str) -> int | None:
    """Where a component serves its ``health`` or ``metrics``, if it was told to."""
    for container in pod["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == name:
                return int(port["containerPort"])
    return None


def _gauge(page: bytes) -> int | None:
    for line in page.decode(errors="replace").splitlines():
        name, _, value = line.partition(" ")
        if name == INTENTS:
            with suppress(ValueError):
                return int(float(value))
    return None


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """A condition of an object's status, by its type."""
    for item in (obj.get("status") or {}).get("conditions") or ():
        if item.get("type") == kind:
            return dict(item)
    return None
