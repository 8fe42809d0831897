"""Caches of kinds that may not be installed: Calico's, Cilium's, newer ones of Kubernetes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from spiderpool.errors import NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.informer import WatchedCache
from spiderpool.kube.resources import Resource


class OptionalCache(WatchedCache):
    """Like its base; while the API does not serve the kind, it is empty and ``served`` False.

    ``versions`` are tried in their order. ``on_served`` is called when the kind came or went;
    absence is looked at again every few seconds, and is a state, not a problem.
    """

    def __init__(self, client: Client, *versions: Resource) -> None:
        self.served = False
        self.on_served: Callable[[], None] = lambda: None
        self._versions = versions
        self._absence = Backoff(first=0.5, most=5.0)
        super().__init__(client, versions[0])

    def found(self) -> tuple[Object, ...] | None:
        """The objects; None while the kind is not served."""
        return tuple(self.all()) if self.served else None

    async def _list(self) -> None:
        while not await self._listed():
            self._become_absent()
            await asyncio.sleep(self._absence.wait())
        self._absence.reset()
        self._tell(True)

    async def _listed(self) -> bool:
        for version in self._versions:
            self.resource = version
            try:
                await super()._list()
            except NotFound:
                continue
            return True
        return False

    def _become_absent(self) -> None:
        for key in list(self._objects):
            self._drop(key)
        self._seen = 0
        self._note("")
        self._synced.set()
        self._tell(False)

    def _tell(self, served: bool) -> None:
        if self.served != served:
            self.served = served
            self.on_served()
