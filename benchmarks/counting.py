"""Count the system calls that code makes, without ptrace and without rights.

What is called through Python's ``os``, ``fcntl`` and ``socket`` is counted where it is called,
and setns(2) where :mod:`spiderpool.netlink.namespace` calls it. Not seen are those of the
interpreter and of the event loop: locks, threads, epoll, and files that ``pathlib`` opens;
by ``strace -f -c`` there are 80 to 90 of them in an ADD of the coordinator.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from spiderpool.netlink import namespace

_OF_SOCKETS = ("sendto", "send", "recvfrom", "recv", "setsockopt", "getsockopt", "bind", "close")
_FUNCTIONS = (
    *((os, name) for name in ("open", "close", "read", "write", "mkdir", "rename", "unlink")),
    (os, "urandom"),
    (fcntl, "ioctl"),
    (namespace, "_setns"),
)


@contextmanager
def system_calls() -> Iterator[Counter[str]]:
    """How often each was called in the body, by all threads."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return function(*args, **kwargs)

        return call

    plain = socket.socket
    methods = {name: counted(name, getattr(plain, name)) for name in _OF_SOCKETS}
    methods["__init__"] = counted("socket", plain.__init__)
    with ExitStack() as patches:
        counting = type("CountingSocket", (plain,), methods)
        patches.enter_context(mock.patch.object(socket, "socket", counting))
        for module, name in _FUNCTIONS:
            wrapped = counted(name.lstrip("_"), getattr(module, name))
            patches.enter_context(mock.patch.object(module, name, wrapped))
        yield counts
