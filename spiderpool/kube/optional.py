"""Caches of kinds that may not be installed: Calico's, Cilium's, newer ones of Kubernetes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from spiderpool.errors import KubeError, NotFound
from spiderpool.kube.api import Client, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.informer import WatchedCache
from spiderpool.kube.resources import Resource

Found = tuple[Object, ...] | KubeError | None
"""The objects of a kind; None while it is not served; why nobody can tell."""


class OptionalCache(WatchedCache):
    """Like its base; while the API does not serve the kind, it is empty and ``served`` False.

    ``versions`` are tried in their order. ``on_served`` is called when the kind came or went;
    absence is looked at again every few seconds, and is a state, not a problem. A server that
    does not let the kind be listed keeps nobody waiting for it either.
    """

    def __init__(self, client: Client, *versions: Resource) -> None:
        self.served = False
        self.on_served: Callable[[], None] = lambda: None
        self._versions = versions
        self._absence = Backoff(first=0.5, most=5.0)
        self._refusal: KubeError | None = None
        super().__init__(client, versions[0])

    def found(self) -> Found:
        """What is known of the kind, also when it may not be asked for any more."""
        if self._refusal is not None:
            return self._refusal
        return tuple(self.all()) if self.served else None

    async def _list(self) -> None:
        try:
            while not await self._listed():
                self._become_absent()
                await asyncio.sleep(self._absence.wait())
        except KubeError as exc:
            if exc.status == HTTPStatus.FORBIDDEN:
                self._note_refusal(exc)
            raise
        self._absence.reset()
        self._become_known(served=True)

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
        self._become_known(served=False)

    def _become_known(self, *, served: bool) -> None:
        if self.served != served or self._refusal is not None:
            self.served, self._refusal = served, None
            self.on_served()

    def _note_refusal(self, exc: KubeError) -> None:
        """Nothing is known of a kind that was refused from the start."""
        if not self.is_synced:
            self._refusal = exc
            self._synced.set()
