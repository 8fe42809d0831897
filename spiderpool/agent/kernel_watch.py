"""Whether the kernel role is there, when it is another process.

An idle connection tells at once when it ends; and while it is held, a kernel role that is
told to end goes on, so that this agent can finish the calls that it has begun.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from spiderpool.agent.server import Readiness
from spiderpool.kernel.descriptors import readable
from spiderpool.kernel.remote import connected
from spiderpool.kube.backoff import Backoff

log = logging.getLogger(__name__)


class KernelWatch:
    """:class:`spiderpool.agent.server.NodeReadiness` of the kernel role and of ``others``.

    Without a ``path`` this process is the kernel role.
    """

    def __init__(self, path: Path | None, others: Readiness) -> None:
        self._path, self._others = path, others
        self._backoff = Backoff(first=0.05, most=1.0)
        self._there = asyncio.Event()
        if path is None:
            self._there.set()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        while self._path is not None:
            await self._hold(self._path)
            await asyncio.sleep(self._backoff.wait())

    async def _hold(self, path: Path) -> None:
        try:
            with connected(path) as connection:
                self._there.set()
                log.info("the kernel role is there")
                await readable(connection)
            log.warning("the kernel role at %s has ended, or does not serve this user", path)
        except OSError as error:
            log.debug("%s: %s", path, error.strerror)
        finally:
            self._there.clear()

    async def there(self) -> None:
        """Wait until it is."""
        await self._there.wait()

    async def synced(self) -> None:
        await self._others.synced()

    def problems(self, plugin: str) -> list[str]:
        missing = f"the kernel role at {self._path} does not answer"
        return [*([] if self._there.is_set() else [missing]), *self._others.problems(plugin)]
