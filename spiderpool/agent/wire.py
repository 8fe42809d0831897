"""The thin plugin's protocol, seen from the agent; spiderpool/cni/plugin.py describes it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from spiderpool.cni.plugin import LARGEST_ENV, LARGEST_STDIN, MAGIC, PROTOCOL
from spiderpool.errors import CniCode, CniError
from spiderpool.kernel.descriptors import (
    TooManyDescriptors,
    readable,
    receive_with_descriptors,
)

MOST_DESCRIPTORS = 2

_REQUEST = struct.Struct(">4sIII")
_ANSWER = struct.Struct(">4sII")
_CHUNK = 64 << 10


class PeerGone(Exception):
    """The plugin hung up before it had sent its request or got its answer."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it came: environment and stdin, nothing of it checked."""

    env: Mapping[str, str]
    stdin: bytes

    def log_fields(self) -> dict[str, str]:
        """What log lines say of the call, whether it can be parsed or not."""
        words = (word.partition("=") for word in self.env.get("CNI_ARGS", "").split(";"))
        args = {key: value for key, _, value in words}
        return {
            "pod": args.get("K8S_POD_NAME", ""),
            "namespace": args.get("K8S_POD_NAMESPACE", ""),
            "container": self.env.get("CNI_CONTAINERID", ""),
            "ifname": self.env.get("CNI_IFNAME", ""),
        }

    def encode(self) -> bytes:
        """The bytes that :func:`decode` reads."""
        env = b"".join(f"{key}={value}\0".encode() for key, value in self.env.items())
        return _REQUEST.pack(MAGIC, PROTOCOL, len(env), len(self.stdin)) + env + self.stdin


def decode(data: bytes) -> RawRequest:
    """A whole request, as an intent file holds it.

    Raises:
        CniError: 6, when the bytes are no request, or not a whole one.
    """
    if len(data) < _REQUEST.size:
        raise _malformed(f"{len(data)} bytes are too few")
    env, stdin = _sizes(data[: _REQUEST.size])
    if len(data) != _REQUEST.size + env + stdin:
        raise _malformed(f"{len(data)} bytes are not what its header says")
    return _body(data[_REQUEST.size :], env)


def encode_answer(status: int, stdout: bytes) -> bytes:
    """What the plugin reads: its exit status and what it prints."""
    return _ANSWER.pack(MAGIC, status, len(stdout)) + stdout


async def receive_request(connection: socket.socket, descriptors: list[int]) -> RawRequest:
    """Read one request; descriptors that come with it are appended to ``descriptors``.

    They belong to the caller even when this raises.

    Raises:
        CniError: 6, when it is no request, or too large.
        PeerGone: when the peer hung up midway.
    """
    first = await _receive_with_rights(connection, descriptors)
    head = first + await _receive(connection, _REQUEST.size - len(first))
    env, stdin = _sizes(head[: _REQUEST.size])
    rest = head[_REQUEST.size :]
    if len(rest) > env + stdin:
        raise _malformed("more bytes follow than its header says")
    return _body(rest + await _receive(connection, env + stdin - len(rest)), env)


async def _receive_with_rights(connection: socket.socket, descriptors: list[int]) -> bytes:
    """The first bytes: descriptors ride with them."""
    await readable(connection)
    try:
        data = receive_with_descriptors(connection, MOST_DESCRIPTORS, descriptors)
    except TooManyDescriptors as error:
        raise _malformed(str(error)) from None
    if not data:
        raise PeerGone
    return data


async def _receive(connection: socket.socket, size: int) -> bytes:
    """Exactly ``size`` bytes; none when ``size`` is not positive."""
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < size:
        chunk = await loop.sock_recv(connection, min(size - len(data), _CHUNK))
        if not chunk:
            raise PeerGone
        data += chunk
    return bytes(data)


def _sizes(head: bytes) -> tuple[int, int]:
    magic, version, env, stdin = _REQUEST.unpack(head)
    if magic != MAGIC:
        raise _malformed(f"it starts with {magic!r}, not with {MAGIC!r}")
    if version != PROTOCOL:
        raise _malformed(f"it speaks protocol {version}, this agent {PROTOCOL}")
    if env > LARGEST_ENV:
        raise _malformed(f"{env} bytes of environment are over the limit of {LARGEST_ENV}")
    if stdin > LARGEST_STDIN:
        raise _malformed(f"{stdin} bytes of configuration are over the limit of {LARGEST_STDIN}")
    return env, stdin


def _body(data: bytes, env_size: int) -> RawRequest:
    entries = data[:env_size].decode("utf-8", "replace").split("\0")
    pairs = (entry.partition("=") for entry in entries if entry)
    return RawRequest({key: value for key, _, value in pairs}, data[env_size:])


def _malformed(problem: str) -> CniError:
    return CniError(CniCode.DECODING_FAILURE, f"the request to the agent is malformed: {problem}")
