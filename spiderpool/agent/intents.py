"""DELs that could not be carried out when they were asked for, kept until they are.

A file is a request in the plugin's format. The plugin leaves one when it finds no agent,
the agent when a DEL needs the API server and there is none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from spiderpool import logs
from spiderpool.agent.storing import store
from spiderpool.agent.threads import in_thread
from spiderpool.agent.wire import RawRequest, decode
from spiderpool.errors import CniCode, SpiderpoolError
from spiderpool.kube.backoff import Backoff

log = logging.getLogger(__name__)

SUFFIX = ".intent"
LOOK_SECONDS = 30.0
"""How often the folder is looked at for what a plugin left while the agent was busy."""

NEVER = frozenset(
    {
        CniCode.INCOMPATIBLE_VERSION,
        CniCode.INVALID_ENVIRONMENT,
        CniCode.DECODING_FAILURE,
        CniCode.INVALID_NETWORK_CONFIG,
    }
)
"""Of a request with such an error, no later attempt can make anything."""

Settle = Callable[[RawRequest], Awaitable[None]]


class Intents:
    """The folder of DELs to do; ``settle`` carries one out or raises SpiderpoolError."""

    def __init__(self, folder: Path, settle: Settle) -> None:
        self._folder, self._settle = folder, settle
        self._backoff = Backoff(first=1.0, most=LOOK_SECONDS)
        self._more = asyncio.Event()

    async def save(self, request: RawRequest) -> None:
        """Store a request for good.

        Raises:
            CniError: see :func:`spiderpool.agent.storing.store`.
        """
        path = self._folder / f"{time.time_ns():020d}-{os.getpid()}{SUFFIX}"
        await in_thread(store, path, request.encode(), durable=True)
        self._more.set()

    def pending(self) -> list[Path]:
        """Requests to settle, oldest first."""
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    async def run(self) -> None:
        """Settle what is there, and what comes, until cancelled."""
        while True:
            if await self.settle_once():
                self._backoff.reset()
                wait = LOOK_SECONDS
            else:
                wait = self._backoff.wait()
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), wait)
            except TimeoutError:
                continue

    async def settle_once(self) -> bool:
        """Try each request once; whether none is left."""
        done = True
        for path in self.pending():
            done &= await self._try(path)
        return done

    async def _try(self, path: Path) -> bool:
        try:
            request = decode(await in_thread(path.read_bytes))
            with logs.fields(**request.log_fields()):
                await self._settle(request)
        except FileNotFoundError:  # an agent that is about to end has settled it
            return True
        except SpiderpoolError as exc:
            if exc.code not in NEVER:
                log.warning("%s waits: %s", path, exc)
                return False
            log.error("%s can never be carried out: %s", path, exc)
            await in_thread(path.rename, path.with_suffix(".refused"))
            return True
        except Exception:
            log.exception("%s waits: a fault of the agent", path)
            return False
        await in_thread(path.unlink, missing_ok=True)
        log.info("%s is settled", path.name)
        return True
