"""A queue of keys to reconcile: each waits at most once, failures come back later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from spiderpool.errors import BadInput, Conflict, KubeError
from spiderpool.kube.backoff import Backoff

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys, reconciled one after another in the order in which they were first added.

    What is wrong with an object waits for the object to change, and is told by the reviewer
    (:mod:`spiderpool.controller.reviewer`); what went wrong with the API is tried again.
    """

    def __init__(self, name: str, reconcile: Callable[[K], Awaitable[None]]) -> None:
        self._name, self._reconcile = name, reconcile
        self._waiting: dict[K, None] = {}
        self._arrived = asyncio.Event()
        self._backoffs: dict[K, Backoff] = {}
        self._told: dict[K, str] = {}

    def add(self, key: K) -> None:
        """Reconcile ``key`` soon; adding a key that waits already changes nothing."""
        self._waiting.setdefault(key)
        self._arrived.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._arrived.wait()
            while self._waiting:
                key = next(iter(self._waiting))
                del self._waiting[key]
                await self._work(key)
                await asyncio.sleep(0)  # the lease is to be renewed, whatever there is to do
            self._arrived.clear()

    async def _work(self, key: K) -> None:
        try:
            await self._reconcile(key)
        except BadInput as exc:
            log.warning("%s: %s", self._name, exc)
        except Conflict:
            self._later(key)
            return
        except KubeError as exc:
            self._tell_once(key, str(exc))
            self._later(key)
            return
        except Exception:
            log.exception("%s: %s", self._name, key)
            self._later(key)
            return
        self._backoffs.pop(key, None)
        if self._told.pop(key, None):
            log.info("%s: %s: done at last", self._name, key)

    def _tell_once(self, key: K, problem: str) -> None:
        """A right that is missing is so at every attempt."""
        level = logging.DEBUG if self._told.get(key) == problem else logging.WARNING
        log.log(level, "%s: %s: %s", self._name, key, problem)
        self._told[key] = problem

    def _later(self, key: K) -> None:
        backoff = self._backoffs.setdefault(key, Backoff(first=0.02, most=30.0))
        asyncio.get_running_loop().call_later(backoff.wait(), self.add, key)
