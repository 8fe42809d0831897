"""An agent that does as a test says, for the plugin's side of the protocol."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from spiderpool.agent.wire import RawRequest, decode

Act = Callable[[socket.socket], None]


class ScriptedAgent:
    """Listens on ``path``; each connection is for the next of ``acts``, or for the last again.

    ``served`` counts connections. On exit the socket stays, as that of an agent that died.
    """

    def __init__(self, path: Path, *acts: Act) -> None:
        self.path, self.served, self._acts = path, 0, acts
        self._listener = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> ScriptedAgent:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            act = self._acts[min(self.served, len(self._acts) - 1)]
            self.served += 1
            with connection:
                connection.settimeout(10)
                act(connection)


def read_request(connection: socket.socket) -> RawRequest:
    """All of it, by the sizes that its head tells."""
    head = read_all(connection, 16)
    size = int.from_bytes(head[8:12], "big") + int.from_bytes(head[12:16], "big")
    return decode(head + read_all(connection, size))


def read_all(connection: socket.socket, count: int) -> bytes:
    """Exactly ``count`` bytes."""
    data = b""
    while len(data) < count:
        chunk = connection.recv(count - len(data))
        assert chunk, f"the client hung up after {len(data)} of {count} bytes"
        data += chunk
    return data
