"""The agent's unix socket: one connection, one CNI call, one answer."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import orjson

from spiderpool import logs
from spiderpool.agent.wire import PeerGone, RawRequest, encode_answer, receive_request
from spiderpool.cni.error import error_object
from spiderpool.cni.request import CniRequest, parse_request, spoken_version
from spiderpool.errors import (
    BadInput,
    CniCode,
    CniError,
    KernelRoleGone,
    KubeError,
    NamespaceGone,
    SpiderpoolError,
)
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.modes import CniCommand

log = logging.getLogger(__name__)

T = TypeVar("T")

BACKLOG = 512
READ_SECONDS = 10.0
SYNC_SECONDS = 10.0
"""How long an ADD waits for the caches of an agent that has just started."""
SYNC_SECONDS_OF_DEL = 0.5
"""A DEL waits less, since it can be done later; below the second that the plugin gives it."""
KERNEL_SECONDS, KERNEL_PAUSE = 10.0, 0.1
"""How long an ADD waits for the kernel role, when that is another process."""
WORK_SECONDS = 45.0
"""Below the time that the plugin waits for its answer."""
DRAIN_SECONDS = 10.0
"""How long calls in flight may go on after the agent was told to end."""

NEEDS_POD = frozenset({CniCommand.ADD, CniCommand.CHECK})
ENDS_WITH_CALLER = frozenset({CniCommand.ADD, CniCommand.CHECK, CniCommand.STATUS})
"""What nobody wants any more when the plugin is gone; DEL and GC go on."""


class Handler(Protocol):
    """Carries out the calls of one plugin."""

    async def handle(
        self, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        """The result's JSON object, empty when the command has none.

        ``own`` is the node's namespace; ``pod`` is None when it cannot be opened any more.
        A raised SpiderpoolError becomes the CNI error object.
        """
        ...


@dataclass(frozen=True, slots=True)
class Plugin:
    """A handler, and which commands it cannot carry out before the caches are filled."""

    handler: Handler
    needs_caches: frozenset[CniCommand]


class Readiness(Protocol):
    """Whether the agent knows enough to serve an ADD."""

    async def synced(self) -> None: ...

    def problems(self, plugin: str) -> list[str]:
        """Why ``plugin`` would refuse an ADD now; empty when it would not."""
        ...


class NodeReadiness(Readiness, Protocol):
    """... and whether it can work in namespaces."""

    async def there(self) -> None:
        """Wait until the kernel role is there."""
        ...


class Postponed(Protocol):
    """Takes the DELs that cannot be carried out now."""

    async def save(self, request: RawRequest) -> None: ...


class Server:
    """Serves ``plugins`` (name -> who carries out its calls) on the socket at ``path``.

    Calls for one sandbox are carried out one after another, so that a DEL finds the end
    of the ADD that the runtime gave up.
    """

    def __init__(
        self,
        path: Path,
        plugins: Mapping[str, Plugin],
        readiness: NodeReadiness,
        postponed: Postponed,
    ) -> None:
        self._path, self._plugins = path, plugins
        self._readiness, self._postponed = readiness, postponed
        self._calls: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self) -> None:
        """Accept until cancelled; then let the calls in flight end, within limits."""
        with _listen(self._path) as listener:
            log.info("serving on %s", self._path)
            try:
                while True:
                    connection = await _accept(listener)
                    call = asyncio.create_task(self._serve(connection))
                    self._calls.add(call)
                    call.add_done_callback(self._calls.discard)
            finally:
                listener.close()
                await self._drain()

    async def carry_out(self, raw: RawRequest, own: Namespace, pod: Namespace | None) -> bytes:
        """The stdout of one call.

        Raises:
            SpiderpoolError: what goes into the error object.
        """
        request = parse_request(raw.env, raw.stdin)
        plugin = self._plugins.get(request.plugin)
        if plugin is None:
            known = ", ".join(sorted(self._plugins))
            words = f"SPIDERPOOL_PLUGIN: {request.plugin!r} is no plugin of ours; use {known}"
            raise CniError(CniCode.INVALID_ENVIRONMENT, words)
        started = time.monotonic()
        answer = await self._handle(plugin, request, own, pod)
        log.info("%s done in %.1f ms", request, (time.monotonic() - started) * 1e3)
        return orjson.dumps(answer) if answer else b""

    async def _handle(
        self, plugin: Plugin, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        if request.command is CniCommand.STATUS:
            if problems := self._readiness.problems(request.plugin):
                raise CniError(CniCode.PLUGIN_NOT_AVAILABLE, "; ".join(problems))
            return {}
        if request.command in NEEDS_POD and pod is None:
            words = f"CNI_NETNS: {request.netns!r} does not exist, or cannot be opened"
            raise CniError(CniCode.UNKNOWN_CONTAINER, f"{words}; nothing was done")
        if request.command in plugin.needs_caches:
            await self._wait_until_ready(request)
        lock = self._locks.setdefault(request.container_id, asyncio.Lock())
        try:
            async with lock, asyncio.timeout(WORK_SECONDS) as limit:
                return await self._carry_through(plugin.handler, request, own, pod)
        except TimeoutError:
            if not limit.expired():
                raise
            words = f"not done within {WORK_SECONDS:.0f} s"
            raise CniError(CniCode.TRY_AGAIN_LATER, words) from None

    async def _carry_through(
        self, handler: Handler, request: CniRequest, own: Namespace, pod: Namespace | None
    ) -> dict[str, Any]:
        """An ADD or CHECK that the kernel role's end has cut off begins again with the next one,
        which finds what is done already."""
        deadline = time.monotonic() + KERNEL_SECONDS
        while True:
            try:
                return await handler.handle(request, own, pod)
            except KernelRoleGone as gone:
                if request.command not in NEEDS_POD or time.monotonic() > deadline:
                    raise
                log.warning("%s waits: %s", request, gone)
            await asyncio.sleep(KERNEL_PAUSE)  # until its end is noticed
            with suppress(TimeoutError):
                await asyncio.wait_for(self._readiness.there(), deadline - time.monotonic())

    async def _wait_until_ready(self, request: CniRequest) -> None:
        patience = SYNC_SECONDS_OF_DEL if request.command is CniCommand.DEL else SYNC_SECONDS
        try:
            await asyncio.wait_for(self._readiness.synced(), patience)
        except TimeoutError:
            problems = "; ".join(self._readiness.problems(request.plugin))
            words = f"the agent is not ready yet: {problems}"
            raise CniError(CniCode.TRY_AGAIN_LATER, words) from None

    async def _serve(self, connection: socket.socket) -> None:
        """One connection, from its first byte to its last; never raises but for cancel."""
        loop = asyncio.get_running_loop()
        descriptors: list[int] = []
        with connection, ExitStack() as held, suppress(PeerGone, OSError):
            held.callback(_close_all, descriptors)
            try:
                async with asyncio.timeout(READ_SECONDS):
                    raw = await receive_request(connection, descriptors)
            except CniError as exc:
                log.warning("refused: %s", exc)
                await loop.sock_sendall(connection, _error_answer(exc, b""))
                return
            with logs.fields(**raw.log_fields()):
                answer = await self._answer(connection, raw, descriptors)
            await loop.sock_sendall(connection, answer)

    async def _answer(
        self, connection: socket.socket, raw: RawRequest, descriptors: list[int]
    ) -> bytes:
        try:
            own, pod = _namespaces(raw, descriptors)
            work = self.carry_out(raw, own, pod)
            if raw.env.get("CNI_COMMAND") in ENDS_WITH_CALLER:
                return encode_answer(0, await while_connected(connection, work))
            return encode_answer(0, await work)
        except PeerGone:
            log.warning("%s is ended: the runtime has hung up", _title(raw))
            raise
        except SpiderpoolError as exc:
            problem = await self._unless_postponed(raw, exc)
            if problem is None:
                return encode_answer(0, b"")
            log.warning("%s: %s", _title(raw), problem)
            return _error_answer(problem, raw.stdin)
        except Exception as exc:
            log.exception("%s failed by a fault of the agent", _title(raw))
            words = f"a fault of the agent ({type(exc).__name__}); its log has the traceback"
            return _error_answer(CniError(CniCode.INTERNAL, words), raw.stdin)

    async def _unless_postponed(
        self, raw: RawRequest, problem: SpiderpoolError
    ) -> SpiderpoolError | None:
        """What is to be told: nothing of a DEL that another time will do, and that is stored for
        then. A runtime would ask again for as long as the API refuses, and the pod would stay
        until then. It is to ask again where nothing can be stored."""
        is_passing = problem.code is CniCode.TRY_AGAIN_LATER or isinstance(problem, KubeError)
        if raw.env.get("CNI_COMMAND") != "DEL" or not is_passing:
            return problem
        try:
            await self._postponed.save(raw)
        except CniError as full:
            return CniError(CniCode.TRY_AGAIN_LATER, f"{problem}; not postponed: {full}")
        log.warning("%s is postponed: %s", _title(raw), problem)
        return None

    async def _drain(self) -> None:
        if self._calls:
            await asyncio.wait(self._calls, timeout=DRAIN_SECONDS)
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)


async def while_connected(connection: socket.socket, work: Coroutine[Any, Any, T]) -> T:
    """The outcome of ``work``, which is cancelled when the peer hangs up.

    Raises:
        PeerGone: after ``work`` has ended.
    """
    doing = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(connection, 1))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise PeerGone
        return doing.result()
    finally:
        doing.cancel()
        gone.cancel()
        await asyncio.gather(doing, gone, return_exceptions=True)


def _listen(path: Path) -> socket.socket:
    """Listen at ``path``; a socket that another agent left there is replaced in one step."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(str(draft))
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
        listener.setblocking(False)
        draft.rename(path)
    except OSError as exc:
        listener.close()
        raise BadInput(f"--socket {path}", f"cannot be listened on: {exc}") from None
    return listener


async def _accept(listener: socket.socket) -> socket.socket:
    """The next connection; when descriptors run out, calls in flight give some back."""
    while True:
        try:
            connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        except OSError as exc:
            log.error("a connection cannot be accepted: %s", exc.strerror)
            await asyncio.sleep(0.1)
        else:
            connection.setblocking(False)
            return connection


def _namespaces(raw: RawRequest, descriptors: list[int]) -> tuple[Namespace, Namespace | None]:
    """The node's namespace, and the pod's when it came too; the descriptors stay the caller's.

    Where a namespace was mounted, an empty file may stay: only who needs the pod is told.
    """
    if not descriptors:
        words = "the request to the agent came without a descriptor of its namespace"
        raise CniError(CniCode.DECODING_FAILURE, words)
    try:
        own = Namespace.from_fd(descriptors[0])
    except NamespaceGone as exc:
        words = f"the request to the agent came without its namespace: {exc}"
        raise CniError(CniCode.INVALID_ENVIRONMENT, words) from None
    if not descriptors[1:]:
        return own, None
    try:
        return own, Namespace.from_fd(descriptors[1])
    except NamespaceGone:
        if raw.env.get("CNI_COMMAND") not in NEEDS_POD:
            return own, None
        words = f"{raw.env.get('CNI_NETNS')!r} is no network namespace; name one like /run/netns/x"
        raise CniError(CniCode.INVALID_ENVIRONMENT, f"CNI_NETNS: {words}") from None


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _error_answer(error: SpiderpoolError, stdin: bytes) -> bytes:
    return encode_answer(1, orjson.dumps(error_object(error, spoken_version(stdin))))


def _title(raw: RawRequest) -> str:
    return " ".join(
        raw.env.get(name, "?") for name in ("SPIDERPOOL_PLUGIN", "CNI_COMMAND", "CNI_IFNAME")
    )
