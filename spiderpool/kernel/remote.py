"""The kernel role in another process, asked over its unix socket."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self, TypeVar

from spiderpool.errors import CniCode, CniError, KernelRoleGone, NamespaceGone, OperationFailed
from spiderpool.kernel import messages, wire
from spiderpool.kernel.codec import Malformed
from spiderpool.kernel.descriptors import readable
from spiderpool.kernel.role import Wire
from spiderpool.netlink.channel import Answer
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import Operation
from spiderpool.netlink.selection import EVERYTHING, Selection
from spiderpool.types.address import Address
from spiderpool.types.names import IfName

T = TypeVar("T")

ANSWER_SECONDS = 20
"""The kernel needs milliseconds, probing less than half a second."""


class Remote:
    """:class:`spiderpool.kernel.role.KernelRole` behind the socket at ``path``.

    Raises KernelRoleGone from any method when there is nobody, or not any more. What was being
    executed then may have been done, in part or in whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, namespace: Namespace) -> RemoteKernel:
        return RemoteKernel(Conversation(self._path), namespace)

    @contextmanager
    def open_both(
        self, one: Namespace, other: Namespace
    ) -> Iterator[tuple[RemoteKernel, RemoteKernel]]:
        with closing(Conversation(self._path)) as shared:
            yield RemoteKernel(shared, one), RemoteKernel(shared, other)

    async def cookie(self, namespace: Namespace) -> int:
        return (await self._ask_patiently(namespace, messages.AskCookie(), messages.Cookie)).cookie

    async def conflicts(self, on: Wire, addresses: Iterable[Address]) -> dict[Address, str]:
        siblings = tuple(on.siblings)
        request = messages.FindRivals(on.nic, on.mac, siblings, tuple(addresses))
        answer = await self._ask_patiently(on.namespace, request, messages.Rivals)
        return dict(answer.rivals)

    async def silent(self, on: Wire, gateways: Mapping[Address, Address]) -> tuple[Address, ...]:
        request = messages.FindSilent(on.nic, on.mac, gateways)
        return (await self._ask_patiently(on.namespace, request, messages.Silent)).gateways

    async def _ask_patiently(
        self, namespace: Namespace, request: messages.Question, kind: type[T]
    ) -> T:
        """Other calls go on until the answer comes; a cancel does not wait for it."""
        with closing(Conversation(self._path)) as conversation:
            conversation.send(request, namespace)
            await conversation.answered()
            return conversation.receive(kind)


class RemoteKernel:
    """:class:`spiderpool.kernel.role.Inside`, of the kernel role's process."""

    def __init__(self, conversation: Conversation, namespace: Namespace) -> None:
        self._conversation, self._namespace = conversation, namespace
        self._cookie: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._conversation.close()

    @property
    def cookie(self) -> int:
        """Every dump tells it."""
        if self._cookie is None:
            self._cookie = self._ask(messages.AskCookie(), messages.Cookie).cookie
        return self._cookie

    def execute(
        self, plan: Sequence[Operation], *, until_refused: bool = False
    ) -> Sequence[Answer]:
        if not plan:
            return ()
        sent, descriptors = messages.without_descriptors(plan)
        request = messages.Execute(sent, until_refused)
        return self._ask(request, messages.Outcomes, descriptors).answers

    def dump(self, selection: Selection = EVERYTHING) -> NetState:
        answer = self._ask(messages.Dump(selection), messages.State)
        self._cookie = answer.cookie
        return answer.state

    def announce(self, nic: IfName, mac: str, addresses: Iterable[Address]) -> None:
        """Does not wait until it is done."""
        self._conversation.send(messages.Announce(nic, mac, tuple(addresses)), self._namespace)
        self._conversation.close()

    def _ask(self, request: messages.Question, kind: type[T], descriptors: Sequence[int] = ()) -> T:
        self._conversation.send(request, self._namespace, descriptors)
        return self._conversation.receive(kind)


class Conversation:
    """A connection, made with the first request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: socket.socket | None = None
        self._known: list[Namespace] = []

    def close(self) -> None:
        self._known.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(
        self, request: messages.Request, about: Namespace, descriptors: Sequence[int] = ()
    ) -> None:
        inside = next((n for n, known in enumerate(self._known) if known is about), None)
        if inside is None:
            inside = len(self._known)
            self._known.append(about)
            descriptors = (about.fd, *descriptors)
        payload = messages.encode_asked(messages.Asked(inside, request))
        try:
            if self._connection is None:
                self._connection = connected(self._path)
            wire.send(self._connection, payload, descriptors)
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from None

    def receive(self, kind: type[T]) -> T:
        """The answer, which must be a ``kind``."""
        assert self._connection is not None
        try:
            payload = wire.receive(self._connection, wire.LARGEST_ANSWER, [])
            if payload is None:
                raise self._gone("it has ended, or does not serve this user")
            answer = messages.decode_answer(payload)
        except BlockingIOError:
            raise self._gone(f"no answer within {ANSWER_SECONDS} s") from None
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from None
        except Malformed as error:
            raise _fault(f"its answer is malformed: {error}") from None
        if isinstance(answer, kind):
            return answer
        raise _error(answer)

    async def answered(self) -> None:
        """Wait until :meth:`receive` does not."""
        assert self._connection is not None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await readable(self._connection)
        except TimeoutError:
            raise self._gone(f"no answer within {ANSWER_SECONDS} s") from None

    def _gone(self, reason: str) -> KernelRoleGone:
        self.close()
        return KernelRoleGone(f"the kernel role at {self._path} does not answer: {reason}")


def connected(path: Path) -> socket.socket:
    """A connection of the kernel role; raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        limit = struct.pack("@ll", ANSWER_SECONDS, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def _error(answer: messages.Answer) -> Exception:
    match answer:
        case messages.Refused(operation, code, detail):
            return OperationFailed(operation, code, detail)
        case messages.Gone(message):
            return NamespaceGone(message)
        case messages.CannotSend(code):
            return OSError(code, os.strerror(code))
        case messages.Fault(message):
            return _fault(message)
    return _fault(f"{type(answer).__name__} is no answer to this")


def _fault(words: str) -> CniError:
    return CniError(CniCode.INTERNAL, f"the kernel role: {words}")
