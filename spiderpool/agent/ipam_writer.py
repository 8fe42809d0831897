"""Group commit: what is asked of a pool while a write is in flight rides in the next one.

Each round decides everything that waits, in the order it was asked, and writes one patch for
each block that it touches. A refused or unanswered write is read again and decided again
until the asker's deadline; a change that someone else made meanwhile cannot be overwritten,
since each write tests the generations that it was decided on. An asker that has gone is
dropped before the write, or gives back what it got after it: by the generation of the write,
and only when it was acknowledged. Of one that was not, nobody can tell whether what stands
there now is its own or what another agent has told since; that stays with its owner.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from spiderpool.errors import (
    AlreadyExists,
    BadInput,
    Busy,
    CniCode,
    CniError,
    Conflict,
    Invalid,
    KubeError,
    NotFound,
    SpiderpoolError,
    Unreachable,
)
from spiderpool.ipam.allocation import Again, Ask, Claim, Desk, Lane, Settled, undoing
from spiderpool.ipam.blocks import SIZE, BlockKey, Change, key_of, new_object, patch_body
from spiderpool.ipam.filters import Skipped
from spiderpool.ipam.ledger import Ledger
from spiderpool.ipam.ranges import Ranges
from spiderpool.kube.api import JSON_PATCH, Client, Informer, Object
from spiderpool.kube.backoff import Backoff
from spiderpool.kube.resources import SPIDERIPBLOCK
from spiderpool.metrics.durations import Durations
from spiderpool.types.address import Family
from spiderpool.types.names import PoolName

log = logging.getLogger(__name__)

BLOCKS_READ_WHEN_FULL = 4
"""A pool of at most so many blocks is read afresh before it is called full."""

PAUSE_SHARE = 0.5
LONGEST_PAUSE = 0.005
"""While asks come without a break, a round waits for this share of the last one's time (at most
so many seconds): it gathers more asks than were there at the end of the write."""

MOST_LANES = 64
CALM_SECONDS = 10.0
"""After so long without a refusal, agents come closer to each other again."""

REPEATABLE = (Conflict, AlreadyExists, Invalid, NotFound, Busy, Unreachable)
"""Refusals after which the block is read and everything is decided again. A JSON Patch whose
test fails is answered 422, which is Invalid."""
TAKEN = (Conflict, AlreadyExists, Invalid)
"""Those that mean that somebody was faster."""

Outcome = Change | Settled | Skipped
"""Written; there was nothing to write; the pool has nothing to give."""


@dataclass(slots=True)
class Counters:
    """What the writers did, for metrics and benchmarks."""

    rounds: int = 0
    writes: int = 0
    refused: int = 0
    reads: int = 0
    given_back: int = 0
    claims_waited: Durations = field(default_factory=Durations)
    releases_waited: Durations = field(default_factory=Durations)
    """How long asks lay before a round took them up."""


@dataclass(slots=True)
class Traffic:
    """Keeps agents that take addresses from the same pool out of each other's way.

    A second refusal in a row because someone was faster opens lanes, further ones open more;
    when nobody was faster for some time they close again, half of them at a time, down to the
    one lane in which the lowest free address is always taken first. ``rank`` tells agents apart
    (the place of the node among all), so that neighbours get different lanes without luck.
    """

    rank: Callable[[], int | None] = lambda: None
    lane: Lane = field(default_factory=Lane)
    _refused: int = 0
    _since: float = 0.0

    def refused(self, now: float) -> None:
        """Somebody was faster; ``now`` is in seconds of a clock that never jumps."""
        self._refused, self._since = self._refused + 1, now
        if self._refused > 1 or self.lane.count > 1:
            at_end = self.lane.count == MOST_LANES
            count = min(MOST_LANES, self.lane.count * 4)
            rank = None if at_end else self.rank()
            number = random.randrange(count) if rank is None else rank % count  # noqa: S311 - not a secret
            self.lane = Lane(number, count)

    def passed(self, now: float) -> None:
        """A round was written as it was decided."""
        self._refused = 0
        calm = int((now - self._since) // CALM_SECONDS)
        if calm and self.lane.count > 1:
            count = max(1, self.lane.count >> calm)
            self.lane, self._since = Lane(self.lane.number % count, count), now


@dataclass(slots=True, eq=False)
class _Waiting:
    ask: Ask
    answer: asyncio.Future[Outcome]
    since: float
    looked_twice: bool = False


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
    counters: Counters
    traffic: Traffic = field(default_factory=Traffic)
    _queue: deque[_Waiting] = field(default_factory=deque, init=False)
    _in_hand: list[_Waiting] = field(default_factory=list, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _backoff: Backoff = field(default_factory=lambda: Backoff(0.005, 0.5), init=False)
    _problem: str = field(default="", init=False)

    async def submit(self, ask: Ask, seconds: float) -> Outcome:
        """Have ``ask`` decided and written within ``seconds``.

        Raises:
            CniError: code 11, when the API did not let it be written in time.
            KubeError: when the API forbids it.
        """
        waiting = self._enqueue(ask)
        try:
            async with asyncio.timeout(seconds):
                return await waiting.answer
        except asyncio.CancelledError:
            self._untold(waiting)
            raise
        except TimeoutError:
            self._untold(waiting)
            reason = self._problem or "the Kubernetes API did not answer in time"
            raise CniError(
                CniCode.TRY_AGAIN_LATER, f"IPPool {self.pool} could not be written: {reason}"
            ) from None

    def give_back(self, change: Change) -> None:
        """Undo, without waiting, what was written for somebody who will not be told of it."""
        ask = undoing(change, self.now())
        if ask is not None:
            self.counters.given_back += 1
            self._enqueue(ask).answer.add_done_callback(_note_failure)

    async def close(self) -> None:
        """Stop writing; whoever still waits is told to try again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        stopped = CniError(CniCode.TRY_AGAIN_LATER, "the agent is stopping")
        for waiting in (*self._in_hand, *self._queue):
            _refuse(waiting, stopped)
        self._queue.clear()

    def _enqueue(self, ask: Ask) -> _Waiting:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(ask, loop.create_future(), loop.time())
        self._queue.append(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"write pool {self.pool}")
        return waiting

    def _untold(self, waiting: _Waiting) -> None:
        """The answer was there when its asker went, and did not reach him any more."""
        answer = waiting.answer
        if not answer.cancelled() and answer.exception() is None:
            outcome = answer.result()
            if isinstance(outcome, Change):
                self.give_back(outcome)

    async def _run(self) -> None:
        loop, pause = asyncio.get_running_loop(), 0.0
        while self._queue:
            await asyncio.sleep(pause)
            batch = [waiting for waiting in self._queue if not waiting.answer.done()]
            self._in_hand = batch
            self._queue.clear()
            started = loop.time()
            self._note_waits(batch, started)
            try:
                unwritten = await self._round(batch)
            except Exception as exc:
                if not isinstance(exc, SpiderpoolError):
                    log.exception("pool %s: a round failed", self.pool)
                    exc = SpiderpoolError(f"IPPool {self.pool}: a fault of the agent: {exc}")
                for waiting in batch:
                    _refuse(waiting, exc)
                continue
            self._queue.extendleft(w for w in reversed(batch) if w in unwritten)
            pause = min((loop.time() - started) * PAUSE_SHARE, LONGEST_PAUSE)

    def _note_waits(self, batch: list[_Waiting], now: float) -> None:
        for waiting in batch:
            is_claim = isinstance(waiting.ask, Claim)
            waited = self.counters.claims_waited if is_claim else self.counters.releases_waited
            waited.note(now - waiting.since)

    async def _round(self, batch: list[_Waiting]) -> set[_Waiting]:
        """Decide and write; returns those that have to wait for another round."""
        self.counters.rounds += 1
        batch, ground = self._with_ground(batch)
        desk = Desk(self.ledger, self.pool, ground, self.now(), self.traffic.lane)
        verdicts = desk.decide([waiting.ask for waiting in batch])
        writes: dict[BlockKey, list[tuple[_Waiting, Change]]] = defaultdict(list)
        again: set[_Waiting] = set()
        for waiting, verdict in zip(batch, verdicts, strict=True):
            if isinstance(verdict, Change):
                writes[key_of(verdict.address)].append((waiting, verdict))
            elif isinstance(verdict, Again):
                again.add(waiting)
            elif isinstance(verdict, Skipped) and not waiting.looked_twice:
                waiting.looked_twice = True
                again.add(waiting)
            else:
                _answer(waiting, verdict)
        if any(waiting.looked_twice for waiting in again):
            await self._read_small(ground)
        failed = await asyncio.gather(*(self._write(*item) for item in writes.items()))
        if any(failed):
            await asyncio.sleep(self._backoff.wait())
        elif writes:
            self.traffic.passed(asyncio.get_running_loop().time())
            self._backoff.reset()
        return again.union(*failed)

    def _with_ground(self, batch: list[_Waiting]) -> tuple[list[_Waiting], Ranges]:
        """The pool's addresses; while they cannot be known, claims are refused and releases
        are not."""
        try:
            return batch, self.ground()
        except BadInput as exc:
            for waiting in batch:
                if isinstance(waiting.ask, Claim):
                    _refuse(waiting, exc)
            return [each for each in batch if not each.answer.done()], Ranges(Family.V4)

    async def _write(self, key: BlockKey, group: list[tuple[_Waiting, Change]]) -> set[_Waiting]:
        """Write one block; returns who has to ask again."""
        self.counters.writes += 1
        try:
            obj = await self._send(key, [change for _, change in group])
        except REPEATABLE as exc:
            self._problem = str(exc)
            if isinstance(exc, TAKEN):
                self.counters.refused += 1
                self.traffic.refused(asyncio.get_running_loop().time())
            elif isinstance(exc, Unreachable):
                _keep_in_mind(group)
            await self._read(key)
            return {waiting for waiting, _ in group}
        except KubeError as exc:
            for waiting, _ in group:
                _refuse(waiting, exc)
            return set()
        self.blocks.observe(obj)
        for waiting, change in group:
            if waiting.answer.done():
                self.give_back(change)
            _answer(waiting, change)
        return set()

    async def _send(self, key: BlockKey, changes: list[Change]) -> Object:
        block = self.ledger.block(key)
        if block is None:
            return await self.client.create(SPIDERIPBLOCK, new_object(key, changes))
        body = patch_body(block, changes)
        return await self.client.patch(SPIDERIPBLOCK, key.name, body, content_type=JSON_PATCH)

    async def _read(self, key: BlockKey) -> None:
        """Take the block as the API has it now; without an answer the next write tells."""
        self.counters.reads += 1
        try:
            self.blocks.observe(await self.client.get(SPIDERIPBLOCK, key.name))
        except KubeError as exc:
            log.debug("block %s could not be read: %s", key.name, exc)

    async def _read_small(self, ground: Ranges) -> None:
        """Read a small pool's blocks: what is free on the server is not yet in the cache."""
        keys = {
            BlockKey(ground.family, base)
            for first, last in ground.intervals[: BLOCKS_READ_WHEN_FULL + 1]
            for base in range(first & -SIZE, min(last, first + 8 * SIZE) + 1, SIZE)
        }
        if len(keys) <= BLOCKS_READ_WHEN_FULL:
            await asyncio.gather(*(self._read(key) for key in keys))


def _keep_in_mind(group: Iterable[tuple[_Waiting, Change]]) -> None:
    """What may have been written, or may be yet, is not to be asked for elsewhere."""
    for waiting, change in group:
        if isinstance(waiting.ask, Claim):
            waiting.ask = replace(waiting.ask, tried=change)


def _answer(waiting: _Waiting, outcome: Outcome) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(outcome)


def _refuse(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)


def _note_failure(answer: asyncio.Future[Outcome]) -> None:
    """Of what nobody waits for."""
    if not answer.cancelled() and (problem := answer.exception()):
        log.warning("an address that nobody was told of stays held: %s", problem)
