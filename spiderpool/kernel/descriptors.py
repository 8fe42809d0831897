"""Bytes of a unix stream socket and the descriptors that ride with them (unix(7), SCM_RIGHTS)."""

from __future__ import annotations

import array
import asyncio
import socket

_CHUNK = 64 << 10
_INT = array.array("i").itemsize


class TooManyDescriptors(ValueError):
    """More than this end has room for; the kernel has closed the others."""


def receive_with_descriptors(connection: socket.socket, most: int, descriptors: list[int]) -> bytes:
    """The next bytes, none at the end; descriptors that come along are appended.

    Those belong to the caller, even when this raises.

    Raises:
        TooManyDescriptors: more than ``most`` came.
    """
    room = socket.CMSG_SPACE(most * _INT)
    data, ancillary, flags, _ = connection.recvmsg(_CHUNK, room, socket.MSG_CMSG_CLOEXEC)
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            received = array.array("i")
            received.frombytes(payload[: len(payload) - len(payload) % _INT])
            descriptors.extend(received)
    if flags & socket.MSG_CTRUNC:
        raise TooManyDescriptors(f"more than {most} descriptors came along")
    return data


async def readable(connection: socket.socket) -> None:
    """Wait until something can be read, were it the end."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, tell)
    try:
        await ready
    finally:
        loop.remove_reader(connection)
