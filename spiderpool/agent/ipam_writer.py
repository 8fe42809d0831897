"""Group commit: what is asked of a pool while a write is in flight rides in the next one.

Each round decides everything that waits, in the order it was asked, and writes one patch for
each block that it touches. A refused or unanswered write is read again and decided again
until the asker's deadline; a change that someone else made meanwhile cannot be overwritten,
since each write tests the generations that it was decided on. An asker that has gone is
dropped before the write, or gives back what it got after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from spiderpool.errors import (
    CniCode,
    CniError,
    Conflict,
    Invalid,
    KubeError,
    NotFound,
    SpiderpoolError,
    Unreachable,
)
from spiderpool.ipam.allocation import Again, Ask, Claim, Desk, Release, Settled, Verdict
from spiderpool.ipam.blocks import SIZE, BlockKey, Change, key_of, new_object, patch_body
from spiderpool.ipam.filters import Skipped
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.ranges import Ranges
from spiderpool.kube.api import JSON_PATCH, Client, Informer
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.resources import SPIDERIPBLOCK
from spiderpool.types.names import PoolName

log = logging.getLogger(__name__)

BLOCKS_READ_WHEN_FULL = 4
"""A pool of at most so many blocks is read afresh before it is called full."""

Outcome = Change | Settled | Skipped
"""Written; there was nothing to write; the pool has nothing to give."""


@dataclass(slots=True)
class Counters:
    """What the writer did, for metrics and benchmarks."""

    rounds: int = 0
    writes: int = 0
    refused: int = 0
    reads: int = 0
    given_back: int = 0


@dataclass(slots=True, eq=False)
class _Waiting:
    ask: Ask
    answer: asyncio.Future[Outcome]
    read_afresh: bool = False


@dataclass(slots=True, eq=False)
class PoolWriter:
    """Everything that this process asks of one pool. Needs a running event loop.

    ``ground`` gives the addresses that the pool may hand out at the time of a round; ``now``
    is the wall clock in seconds since 1970.
    """

    client: Client
    blocks: Informer
    ledger: Ledger
    pool: PoolName
    ground: Callable[[], Ranges]
    now: Callable[[], float]
    counters: Counters = field(default_factory=Counters)
    _queue: deque[_Waiting] = field(default_factory=deque, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _backoff: Backoff = field(default_factory=lambda: Backoff(0.005, 0.5), init=False)
    _problem: str = field(default="", init=False)

    async def submit(self, ask: Ask, seconds: float) -> Outcome:
        """Have ``ask`` decided and written within ``seconds``.

        Raises:
            CniError: code 11, when the API did not let it be written in time.
            KubeError: when the API forbids it.
        """
        waiting = _Waiting(ask, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._start()
        try:
            async with asyncio.timeout(seconds):
                return await waiting.answer
        except TimeoutError:
            reason = self._problem or "the Kubernetes API did not answer in time"
            raise CniError(
                CniCode.TRY_AGAIN_LATER, f"IPPool {self.pool} could not be written: {reason}"
            ) from None

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"write pool {self.pool}")

    async def _run(self) -> None:
        while self._queue:
            try:
                await self._round()
            except SpiderpoolError as exc:
                self._fail(exc)
            except Exception as exc:
                log.exception("pool %s: a round failed", self.pool)
                self._fail(SpiderpoolError(f"IPPool {self.pool}: {exc}"))

    def _fail(self, error: SpiderpoolError) -> None:
        while self._queue:
            _refuse(self._queue.popleft(), error)

    async def _round(self) -> None:
        """Decide and write all that waits; what could not be written waits in front."""
        self.counters.rounds += 1
        batch = [waiting for waiting in self._queue if not waiting.answer.done()]
        desk = Desk(self.ledger, self.pool, self.ground(), self.now())
        verdicts = desk.decide([waiting.ask for waiting in batch])
        self._queue.clear()
        again: set[_Waiting] = set()
        written: dict[BlockKey, list[tuple[_Waiting, Change]]] = {}
        for waiting, verdict in zip(batch, verdicts, strict=True):
            if isinstance(verdict, Change):
                written.setdefault(key_of(verdict.address), []).append((waiting, verdict))
            elif isinstance(verdict, Again) or self._wants_fresh_look(waiting, verdict, desk):
                again.add(waiting)
            else:
                _answer(waiting, verdict)
        results = await asyncio.gather(*(self._write(*item) for item in written.items()))
        for unwritten in results:
            again.update(unwritten)
        self._queue.extendleft(waiting for waiting in reversed(batch) if waiting in again)
        if any(results):
            await asyncio.sleep(self._backoff.wait())
        elif written:
            self._backoff.reset()
            self._problem = ""
        fresh = [waiting for waiting in again if waiting.read_afresh is None]
        del fresh

    def _wants_fresh_look(self, waiting: _Waiting, verdict: Verdict, desk: Desk) -> bool:
        return False
