"""The kernel role's unix socket: a thread a connection, one of them always waiting for the next.

Threads and blocking calls, because the work is system calls that take microseconds; an event
loop would cost as much as they do.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from spiderpool.errors import BadInput, NamespaceGone
from spiderpool.kernel import messages, wire
from spiderpool.kernel.codec import Malformed
from spiderpool.kernel.session import Open, Session
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace

log = logging.getLogger(__name__)

BACKLOG = 512
MOST_THREADS = 256
"""Probing takes a third of a second a pod, and many pods may start at once."""
_CREDENTIALS = struct.Struct("3i")


class Server:
    """Serves processes of the user ``peer`` at ``path``; ``open_kernel`` is for tests."""

    def __init__(self, path: Path, peer: int, open_kernel: Open = Kernel) -> None:
        self._peer, self._open = peer, open_kernel
        self._listener = listen(path)
        self._lock = threading.Lock()
        self._threads = self._waiting = 0
        self._ending = False

    def start(self) -> None:
        """Serve from now on; returns at once."""
        with self._lock:
            self._add_thread()

    def stop(self, patience: float) -> None:
        """Go on while there are connections, at most ``patience`` seconds, and then no more.

        The agent, told to end at the same time, finishes the calls that it has begun.
        """
        deadline = time.monotonic() + patience
        while self._threads > self._waiting and time.monotonic() < deadline:
            time.sleep(0.02)
        self._ending = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _add_thread(self) -> None:
        self._threads += 1
        self._waiting += 1
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while (connection := self._accept()) is not None:
            with self._at_work(), connection:
                self._serve(connection)

    def _accept(self) -> socket.socket | None:
        while not self._ending:
            try:
                return self._listener.accept()[0]
            except OSError as error:
                if not self._ending:
                    log.error("a connection cannot be accepted: %s", error.strerror)
                    time.sleep(0.1)
        return None

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Another thread waits for the next connection meanwhile."""
        with self._lock:
            self._waiting -= 1
            if not self._waiting and self._threads < MOST_THREADS:
                self._add_thread()
        try:
            yield
        finally:
            with self._lock:
                self._waiting += 1

    def _serve(self, connection: socket.socket) -> None:
        """One connection, from its first byte to its last; never raises."""
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        process, user, _ = _CREDENTIALS.unpack(raw)
        if user != self._peer:
            log.warning("process %d of user %d is not the agent, and not served", process, user)
            return
        try:
            self._converse(connection)
        except OSError as error:
            log.warning("the agent is gone: %s", error.strerror)
        except Malformed as error:
            log.warning("refused: %s", error)
            _say(connection, messages.Fault(f"refused: {error}"))
        except Exception as error:
            log.exception("a request failed by a fault of the kernel role")
            words = f"a fault of the kernel role ({type(error).__name__}); its log has more"
            _say(connection, messages.Fault(words))

    def _converse(self, connection: socket.socket) -> None:
        with ExitStack() as held:
            sessions: list[Session] = []
            while True:
                with _descriptors() as descriptors:
                    payload = wire.receive(connection, wire.LARGEST_REQUEST, descriptors)
                    if payload is None:
                        return
                    asked = messages.decode_asked(payload)
                    if asked.inside == len(sessions) < wire.MOST_DESCRIPTORS:
                        sessions.append(self._session(descriptors))
                        held.callback(sessions[-1].close)
                    if asked.inside >= len(sessions):
                        raise Malformed(f"there is no namespace {asked.inside}")
                    session = sessions[asked.inside]
                    if isinstance(asked.request, messages.Announce):
                        session.announce(asked.request)
                        continue
                    answer = session.answer(asked.request, descriptors)
                wire.send(connection, messages.encode_answer(answer))

    def _session(self, descriptors: list[int]) -> Session:
        """Takes the first descriptor over."""
        if not descriptors:
            raise Malformed("a request came without the descriptor of its namespace")
        try:
            namespace = Namespace.from_fd(descriptors[0])
        except NamespaceGone as error:
            raise Malformed(str(error)) from None
        del descriptors[0]
        return Session(namespace, self._open)


@contextmanager
def _descriptors() -> Iterator[list[int]]:
    """Closes at the end those that are left in the list."""
    descriptors: list[int] = []
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _say(connection: socket.socket, answer: messages.Answer) -> None:
    try:
        wire.send(connection, messages.encode_answer(answer))
    except OSError as error:
        log.warning("the agent is gone: %s", error.strerror)


def listen(path: Path) -> socket.socket:
    """Listen at ``path``; its group may connect. What an earlier process left there goes.

    Raises:
        BadInput: that is not possible.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    draft = path.with_suffix(".new")
    before = os.umask(0o117)
    try:
        draft.unlink(missing_ok=True)
        listener.bind(str(draft))
        listener.listen(BACKLOG)
        draft.rename(path)
    except OSError as error:
        listener.close()
        raise BadInput(f"--socket {path}", f"cannot be listened on: {error}") from None
    finally:
        os.umask(before)
    return listener
