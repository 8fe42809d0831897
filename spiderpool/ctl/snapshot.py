"""The agent's view of the cluster, out of one list of each kind instead of watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from spiderpool.agent.caches import AgentCaches
from spiderpool.agent.ipam_sources import Sources
from spiderpool.ctl.evidence import every
from spiderpool.ctl.installation.facts import COMPONENT, LABELS
from spiderpool.errors import KubeError
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Handler, Object
from spiderpool.types.address import Family

AGENTS = f"{LABELS},{COMPONENT}=agent"
KINDS = {
    "pools": resources.SPIDERIPPOOL,
    "blocks": resources.SPIDERIPBLOCK,
    "reserved": resources.SPIDERRESERVEDIP,
    "coordinators": resources.SPIDERCOORDINATOR,
    "namespaces": resources.NAMESPACE,
    "nodes": resources.NODE,
    "pods": resources.POD,
}


class Snapshot:
    """:class:`spiderpool.kube.api.Informer` of objects that change only as somebody supposes."""

    def __init__(self, objects: list[Object]) -> None:
        self._objects = {_key(obj): obj for obj in objects}
        self._handlers: list[Handler] = []

    def get(self, name: str, namespace: str | None = None) -> Object | None:
        return self._objects.get((namespace, name))

    def all(self) -> list[Object]:
        return list(self._objects.values())

    def subscribe(self, handler: Handler) -> None:
        self._handlers.append(handler)
        for obj in self._objects.values():
            handler(None, obj)

    def observe(self, obj: Object) -> None:
        """Suppose that the object were so."""
        old = self._objects.get(_key(obj))
        self._objects[_key(obj)] = obj
        for handler in self._handlers:
            handler(old, obj)

    def synced(self) -> Awaitable[None]:
        return asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class View:
    """What an agent would decide on now; ``families`` are those that agents give."""

    sources: Sources
    families: frozenset[Family]


async def view(client: Client) -> View:
    """Everything at once.

    Raises:
        KubeError: the API did not answer, or refused.
    """
    found = await every(client, KINDS.values())
    options = await _options(client)
    caches = AgentCaches(**{name: Snapshot(found[kind]) for name, kind in KINDS.items()})
    network, namespace = options.get("--cluster-network", ""), options.get("--namespace")
    known = Sources(caches, network, namespace) if namespace else Sources(caches, network)
    return View(known, frozenset(f for f in Family if f"--disable-ipv{f.number}" not in options))


async def _options(client: Client) -> Mapping[str, str]:
    """The command line of the agents, where it can be seen."""
    try:
        sets = (await client.list(resources.DAEMONSET, label_selector=AGENTS))["items"]
    except KubeError:
        return {}
    containers = (c for obj in sets for c in obj["spec"]["template"]["spec"]["containers"])
    words = (word.partition("=") for each in containers for word in each.get("args") or ())
    return {option: value for option, _, value in words}


def _key(obj: Object) -> tuple[str | None, str]:
    return obj["metadata"].get("namespace"), obj["metadata"]["name"]
