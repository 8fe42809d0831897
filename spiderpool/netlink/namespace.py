"""A network namespace, held by a descriptor and known by its cookie.

No name, path or pid stands for a namespace longer than it takes to open it: descriptors
cannot be swapped meanwhile and vanish with the process.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from spiderpool.errors import NamespaceGone

CLONE_NEWNET = 0x40000000
NS_GET_NSTYPE = 0xB703
SO_NETNS_COOKIE = 71

_OWN = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd: int) -> None:
    """Move the calling thread (setns(2))."""
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        errno = ctypes.get_errno()
        raise NamespaceGone(f"network namespace behind descriptor {fd}: {os.strerror(errno)}")


def leave_network() -> None:
    """Move this process, while it has one thread, to a new namespace without any network.

    Raises:
        NamespaceGone: CAP_SYS_ADMIN is missing (unshare(2)).
    """
    if _libc.unshare(CLONE_NEWNET) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise NamespaceGone(f"a network namespace of its own cannot be made: {reason}")


def _checked(fd: int) -> int:
    """``fd``, when it is a descriptor of a network namespace (NS_GET_NSTYPE, ioctl_ns(2))."""
    try:
        kind = fcntl.ioctl(fd, NS_GET_NSTYPE)
    except OSError as error:
        raise NamespaceGone(f"descriptor {fd} is no network namespace: {error.strerror}") from error
    if kind != CLONE_NEWNET:
        raise NamespaceGone(f"descriptor {fd} is a namespace of another kind")
    return fd


class Namespace:
    """Owns the descriptor ``fd`` until :meth:`close`.

    Two objects are equal when they are the same namespace, whatever their descriptors.
    """

    __slots__ = ("_cookie", "_fd")

    def __init__(self, fd: int) -> None:
        self._fd = _checked(fd)
        self._cookie: int | None = None

    @classmethod
    def open(cls, path: str) -> Namespace:
        """The namespace bound to ``path``, like ``/proc/123/ns/net``.

        Raises:
            NamespaceGone: nothing is there, or no network namespace.
        """
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise NamespaceGone(f"network namespace {path}: {error.strerror}") from error
        try:
            return cls(fd)
        except NamespaceGone as error:
            os.close(fd)
            raise NamespaceGone(f"{path} is no network namespace") from error

    @classmethod
    def current(cls) -> Namespace:
        """The calling thread's namespace."""
        return cls.open(_OWN)

    @classmethod
    def from_fd(cls, fd: int) -> Namespace:
        """Take over a descriptor, for example one that came by ``SCM_RIGHTS``.

        Raises:
            NamespaceGone: it is no network namespace; the descriptor stays the caller's.
        """
        return cls(fd)

    @property
    def fd(self) -> int:
        return self._fd

    @property
    def cookie(self) -> int:
        """The kernel's number of this namespace; never used again after it (socket(7))."""
        if self._cookie is None:
            with self.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
                raw = probe.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
            (self._cookie,) = struct.unpack("=Q", raw)
        return self._cookie

    def is_same(self, other: Namespace) -> bool:
        """Whether both are one namespace, without entering it as :attr:`cookie` does: while
        both are open, no other namespace has the inode (stat(2))."""
        return os.path.sameopenfile(self._fd, other.fd)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run the body inside, on this thread only; it must not await or switch threads.

        Raises:
            NamespaceGone: it cannot be entered.
        """
        own = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self._fd)
            try:
                yield
            finally:
                _setns(own)
        finally:
            os.close(own)

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket that lives in this namespace, wherever it is used."""
        with self.entered():
            return socket.socket(family, kind, protocol)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Namespace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Namespace) and self.cookie == other.cookie

    def __hash__(self) -> int:
        return hash(self.cookie)
