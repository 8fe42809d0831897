"""Leader election by a Lease, with the rules of client-go.

Clocks of different machines are never compared: a lease has expired when this process has
seen no change of it for its duration. Others may see a write long before its answer is here,
so a leader counts from the sending of its last write, not, as client-go does, from the
answer: it has stopped before anybody else may start. Times are seconds of the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from spiderpool.errors import AlreadyExists, Conflict, NotFound, SpiderpoolError
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import LEASE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: how long a lease holds, when a leader that cannot renew gives up, and retries."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0


RELEASE_SECONDS = 5.0
"""A process that ends waits no longer than this for the API."""


class Election:
    """One candidate for the Lease ``namespace/name``.

    ``acquired()`` returns when this process leads; ``lost()`` when it must stop at once.
    """

    def __init__(
        self, client: Client, namespace: str, name: str, identity: str, timing: Timing | None = None
    ) -> None:
        self.identity = identity
        self._client, self._namespace, self._name = client, namespace, name
        self._timing = timing or Timing()
        self._lease: Object | None = None
        self._seen_at = 0.0
        self._sent_at = 0.0
        self._is_in_doubt = False
        self._problem = ""

    async def acquired(self) -> None:
        """Wait until the lease is this process's."""
        while True:
            if await self._attempt() and asyncio.get_running_loop().time() < self._end():
                break
            await asyncio.sleep(self._timing.retry)
        log.info("%s leads %s/%s", self.identity, self._namespace, self._name)

    async def lost(self) -> None:
        """Renew; returns when another holds the lease, or none could be renewed in time."""
        while await self._renewed_in_time():
            pass
        log.warning("%s no longer leads %s/%s", self.identity, self._namespace, self._name)

    async def _renewed_in_time(self) -> bool:
        """One renewal; a request that hangs does not outlast the deadline either."""
        try:
            async with asyncio.timeout_at(self._end()):
                while True:
                    await asyncio.sleep(self._timing.retry)
                    if await self._attempt():
                        return True
                    if self._holder() not in ("", self.identity):
                        return False
        except TimeoutError:
            return False

    async def release(self) -> None:
        """Give the lease back, so that the next candidate need not wait for its end."""
        if self._lease is None:
            return
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._look()
                if self._holder() == self.identity:
                    await self._write(self._lease, holder="")
        except (SpiderpoolError, TimeoutError) as exc:
            log.warning("the lease could not be given back: %s", exc or "no answer in time")

    def _end(self) -> float:
        """When this process must not lead any more, unless it renews."""
        return self._sent_at + self._timing.renew_deadline

    def _holder(self) -> str:
        spec = (self._lease or {}).get("spec") or {}
        return str(spec.get("holderIdentity") or "")

    async def _attempt(self) -> bool:
        """Take or renew the lease if it may be; False when it is another's or out of reach.

        A leader that knows the lease as it wrote it needs one request."""
        try:
            if self._holder() != self.identity or self._is_in_doubt:
                await self._look()
            if not self._may_take():
                return False
            self._is_in_doubt = True
            await self._write(self._lease, holder=self.identity)
        except (Conflict, AlreadyExists):
            return False
        except SpiderpoolError as exc:
            level = logging.DEBUG if self._problem == str(exc) else logging.WARNING
            log.log(level, "lease %s/%s: %s", self._namespace, self._name, exc)
            self._problem = str(exc)
            return False
        self._is_in_doubt, self._problem = False, ""
        return True

    async def _look(self) -> None:
        try:
            lease: Object | None = await self._client.get(LEASE, self._name, self._namespace)
        except NotFound:
            lease = None
        if lease is None or self._lease is None or lease.get("spec") != self._lease.get("spec"):
            self._seen_at = asyncio.get_running_loop().time()
        self._lease = lease

    def _may_take(self) -> bool:
        if self._holder() in ("", self.identity):
            return True
        spec = (self._lease or {})["spec"]
        duration = float(spec.get("leaseDurationSeconds") or self._timing.duration)
        return asyncio.get_running_loop().time() >= self._seen_at + duration

    async def _write(self, lease: Object | None, *, holder: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        before = (lease or {}).get("spec") or {}
        changed = before.get("holderIdentity") != holder
        spec = before | {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, round(self._timing.duration)),
            "renewTime": now,
            "acquireTime": now if changed else before.get("acquireTime", now),
            "leaseTransitions": int(before.get("leaseTransitions") or 0)
            + (1 if changed and holder and before else 0),
        }
        sent_at = asyncio.get_running_loop().time()
        if lease is None:
            metadata = {"name": self._name, "namespace": self._namespace}
            written = await self._client.create(LEASE, _lease(metadata, spec))
        else:
            written = await self._client.update(LEASE, _lease(lease["metadata"], spec))
        self._lease, self._seen_at = written, asyncio.get_running_loop().time()
        self._sent_at = sent_at


def _lease(metadata: Object, spec: Object) -> Object:
    return {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.kind,
        "metadata": metadata,
        "spec": spec,
    }
