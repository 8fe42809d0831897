"""The kernel's time stamps on packets (SO_TIMESTAMPNS, socket(7))."""

from __future__ import annotations

import socket
import struct
import time

from spiderpool.errors import SpiderpoolError

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("=qq")
_ATTEMPTS = 1000
_PAUSE_SECONDS = 0.001


class NoStamps(SpiderpoolError):
    """The kernel does not stamp packets as they pass, so their order stays unknown."""


def ask_for_stamps(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def stamp_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Nanoseconds since the epoch, from the control messages that came with a packet."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    raise NoStamps("a packet came without the time stamp that was asked for")


def stamping_socket() -> socket.socket:
    """A socket that, while it is open, keeps the kernel stamping all packets as they pass.

    The first socket that asks for stamps switches them on in the background
    (``net_enable_timestamp``); until then packets get the time at which they are read. This
    returns once that is over. Needs ``lo`` up in the calling thread's namespace.

    Raises:
        NoStamps: it did not happen within a second or so.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ask_for_stamps(sock)
    sock.bind(("127.0.0.1", 0))
    for _ in range(_ATTEMPTS):
        sock.sendto(b"", sock.getsockname())
        before_reading = time.time_ns()
        _, ancillary, _, _ = sock.recvmsg(1, 64)
        if stamp_of(ancillary) <= before_reading:
            return sock
        time.sleep(_PAUSE_SECONDS)
    sock.close()
    raise NoStamps("the kernel does not stamp packets as they pass")
