"""Messages with descriptors on a unix stream socket, blocking."""

from __future__ import annotations

import array
import socket
import struct
from collections.abc import Sequence

from spiderpool.kernel.codec import Malformed
from spiderpool.kernel.descriptors import TooManyDescriptors, receive_with_descriptors

LARGEST_REQUEST = 4 << 20
LARGEST_ANSWER = 256 << 20
"""The tables of a node may be full of another program's routes."""
MOST_DESCRIPTORS = 16

_HEAD = struct.Struct(">4sI")
_MAGIC = b"SPKR"
_CHUNK = 64 << 10


def send(connection: socket.socket, payload: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send one message; descriptors ride with its first bytes (unix(7), SCM_RIGHTS)."""
    data = _HEAD.pack(_MAGIC, len(payload)) + payload
    if not descriptors:
        connection.sendall(data)
        return
    rights = array.array("i", descriptors)
    sent = connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    if sent < len(data):
        connection.sendall(memoryview(data)[sent:])


def receive(connection: socket.socket, most: int, descriptors: list[int]) -> bytes | None:
    """The payload of the next message, None when the peer has closed instead of sending one.

    Descriptors that come along are appended to ``descriptors`` and belong to the caller, even
    when this raises.

    Raises:
        Malformed: these bytes are no message, or one of more than ``most`` bytes.
        ConnectionError: the peer has closed midway.
    """
    first = _first(connection, descriptors)
    if not first:
        return None
    data = first if len(first) >= _HEAD.size else first + _rest(connection, _HEAD.size - len(first))
    magic, length = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise Malformed(f"a message starts with {magic!r}")
    if length > most:
        raise Malformed(f"a message of {length} bytes is over the limit of {most}")
    missing = _HEAD.size + length - len(data)
    if missing < 0:
        raise Malformed("a message came before the last one was answered")
    return data[_HEAD.size :] + (_rest(connection, missing) if missing else b"")


def _first(connection: socket.socket, descriptors: list[int]) -> bytes:
    try:
        return receive_with_descriptors(connection, MOST_DESCRIPTORS, descriptors)
    except TooManyDescriptors as error:
        raise Malformed(str(error)) from None


def _rest(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = connection.recv(min(size - len(data), 16 * _CHUNK))
        if not chunk:
            raise ConnectionResetError("the peer has closed midway")
        data += chunk
    return bytes(data)
