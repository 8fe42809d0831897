"""STATUS, asked of the agent as the thin plugin asks it."""

from __future__ import annotations

import array
import json
import os
import socket
import struct
from pathlib import Path

from spiderpool.agent.wire import RawRequest
from spiderpool.cni.plugin import LARGEST_ANSWER, MAGIC

SECONDS = 5.0
_ANSWER = struct.Struct(">4sII")


def ask_status(path: Path, plugin: str) -> str:
    """What stands in the way of an ADD; empty when nothing does.

    Raises:
        OSError: nobody answers, or something that is not the agent.
    """
    env = {"CNI_COMMAND": "STATUS", "SPIDERPOOL_PLUGIN": plugin}
    config = {"cniVersion": "1.1.0", "name": "spiderpoolctl", "type": plugin}
    request = RawRequest(env, json.dumps(config).encode()).encode()
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(SECONDS)
            connection.connect(str(path))
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [own]))
            connection.sendmsg([request], [rights])
            status, answer = _answer(connection)
    finally:
        os.close(own)
    return "" if status == 0 else _words(answer)


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    head = _exactly(connection, _ANSWER.size)
    magic, status, size = _ANSWER.unpack(head)
    if magic != MAGIC or size > LARGEST_ANSWER:
        raise OSError("what answers is not the agent")
    return status, _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise OSError("it hung up before it answered")
        data += chunk
    return data


def _words(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["msg"])
    except (ValueError, KeyError, TypeError):
        return "without a reason"
