"""Events on objects, for people who run ``kubectl describe``.

Recording never waits and never fails: events are written in the background, repeats of one
event are counted in one object, and a flood keeps its newest kinds only.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from spiderpool.errors import NotFound, SpiderpoolError
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import EVENT

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 1024
"""The API server refuses longer ones (core/v1 Event validation)."""
MOST_REMEMBERED = 1000
MOST_WAITING = 1000
PAUSE_SECONDS = 1.0
"""Between two rounds of writing: what repeats faster is counted, not written."""


class EventType(enum.StrEnum):
    """``Event.type``."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that an event is about (``involvedObject``)."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What makes two events the same."""

    subject: Subject
    type: EventType
    reason: enum.StrEnum
    message: str


@dataclass(slots=True)
class _Count:
    first: datetime
    last: datetime
    times: int = 0


@dataclass(slots=True)
class _Written:
    name: str
    times: int


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class EventRecorder:
    """Writes events as ``component`` (on ``host``) while :meth:`run` is running."""

    def __init__(
        self,
        client: Client,
        component: str,
        host: str = "",
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._client, self._component, self._host, self._clock = client, component, host, clock
        self._waiting: OrderedDict[_Kind, _Count] = OrderedDict()
        self._written: OrderedDict[_Kind, _Written] = OrderedDict()
        self._more = asyncio.Event()
        self._problem = ""

    def warn(self, subject: Subject, reason: enum.StrEnum, message: str) -> None:
        """Something is wrong with ``subject``; ``reason`` is of a closed set of words, for
        Spiderpool :class:`spiderpool.kube.reasons.Reason`."""
        self.record(subject, EventType.WARNING, reason, message)

    def record(self, subject: Subject, kind: EventType, reason: enum.StrEnum, message: str) -> None:
        """Have an event written soon."""
        if len(message) > LONGEST_MESSAGE:
            message = message[: LONGEST_MESSAGE - 3] + "..."
        key = _Kind(subject, kind, reason, message)
        count = self._waiting.setdefault(key, _Count(self._clock(), self._clock()))
        count.last, count.times = self._clock(), count.times + 1
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        self._more.set()

    async def run(self) -> None:
        """Write what is recorded until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            await self.flush()
            await asyncio.sleep(PAUSE_SECONDS)

    async def flush(self) -> None:
        """Write all that waits; what cannot be written now is dropped, and the first of those
        that are dropped for one reason is logged."""
        while self._waiting:
            key, count = self._waiting.popitem(last=False)
            try:
                await self._write(key, count)
            except SpiderpoolError as exc:
                level = logging.DEBUG if self._problem == str(exc) else logging.WARNING
                log.log(level, "event %s on %s is lost: %s", key.reason, key.subject.name, exc)
                self._problem = str(exc)
            else:
                self._problem = ""

    async def _write(self, key: _Kind, count: _Count) -> None:
        known = self._written.get(key)
        if known is not None:
            times = known.times + count.times
            body = {"count": times, "lastTimestamp": _text(count.last)}
            try:
                await self._client.patch(EVENT, known.name, body, _namespace(key.subject))
            except NotFound:
                del self._written[key]
            else:
                self._written[key] = _Written(known.name, times)
                self._written.move_to_end(key)
                return
        event = self._event(key, count)
        await self._client.create(EVENT, event)
        self._written[key] = _Written(event["metadata"]["name"], count.times)
        if len(self._written) > MOST_REMEMBERED:
            self._written.popitem(last=False)

    def _event(self, key: _Kind, count: _Count) -> Object:
        subject = key.subject
        involved = {
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "name": subject.name,
            "namespace": subject.namespace,
            "uid": subject.uid,
        }
        source = {"component": self._component, "host": self._host}
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": _name(key, count), "namespace": _namespace(subject)},
            "involvedObject": {name: value for name, value in involved.items() if value},
            "type": str(key.type),
            "reason": str(key.reason),
            "message": key.message,
            "source": {name: value for name, value in source.items() if value},
            "firstTimestamp": _text(count.first),
            "lastTimestamp": _text(count.last),
            "count": count.times,
        }


def _name(key: _Kind, count: _Count) -> str:
    """Unique among the events of a namespace, and at most 253 characters."""
    digest = hashlib.blake2b(f"{key}{count.first.timestamp()}".encode(), digest_size=8)
    return f"{key.subject.name[:236]}.{digest.hexdigest()}"


def _namespace(subject: Subject) -> str:
    """Events on objects without a namespace live in ``default``."""
    return subject.namespace or "default"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
