"""One netlink socket: batches with their errors, requests with their replies, dumps.

The kernel works during ``sendmsg`` and has queued its answers when it returns, so nothing
here ever waits; an answer that is missing then is an error, not a hang.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence

from spiderpool.errors import OperationFailed
from spiderpool.netlink import uapi
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.wire import HEADER_LENGTH, attributes, messages, unpack

Answer = tuple[int, str]
"""An errno, 0 for success, and the kernel's own words about it (extended ack)."""

DONE: Answer = (0, "")
DUMP_ATTEMPTS = 10

_RECEIVE = 1 << 16
_BATCH_MESSAGES = 200
"""Errors of so many messages fit into the default receive buffer (212992 bytes)."""
_BATCH_REQUESTS = 40
"""Replies about links take up to 4 kB each of that buffer."""

_FLAGS = struct.Struct("=H")
_SEQUENCE = struct.Struct("=I")
_ERRNO = struct.Struct("=i")


class DumpInterrupted(Exception):
    """The kernel's tables changed during a dump; the answer is not to be trusted."""


class Channel:
    """A socket of ``protocol`` (``NETLINK_ROUTE``, ``NETLINK_NETFILTER``) in a namespace."""

    def __init__(self, namespace: Namespace, protocol: int = uapi.NETLINK_ROUTE) -> None:
        self._socket = namespace.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self._socket.setsockopt(uapi.SOL_NETLINK, uapi.NETLINK_CAP_ACK, 1)
        self._socket.setsockopt(uapi.SOL_NETLINK, uapi.NETLINK_EXT_ACK, 1)
        self._socket.setsockopt(uapi.SOL_NETLINK, uapi.NETLINK_GET_STRICT_CHK, 1)
        self._sequence = int.from_bytes(os.urandom(3), "big")

    def close(self) -> None:
        self._socket.close()

    def batch(self, requests: Sequence[bytes]) -> list[Answer]:
        """Execute every message, in order, and answer each.

        All go in one ``sendmsg`` (one per 200); only the last asks for an acknowledgement,
        for errors come anyhow. The kernel goes on after an error.
        """
        answers: list[Answer] = []
        for start in range(0, len(requests), _BATCH_MESSAGES):
            answers += self._batch(requests[start : start + _BATCH_MESSAGES])
        return answers

    def _batch(self, requests: Sequence[bytes]) -> list[Answer]:
        first = self._send(requests, acknowledged=len(requests) - 1)
        answers = [DONE] * len(requests)
        while True:
            for kind, flags, sequence, body in self._receive():
                position = sequence - first
                if kind != uapi.NLMSG_ERROR or not 0 <= position < len(requests):
                    continue
                answers[position] = _answer(flags, body)
                if position == len(requests) - 1:
                    return answers

    def transaction(self, requests: Sequence[bytes]) -> Answer:
        """An nfnetlink batch, begin and end included: all or nothing.

        Asks the last change to be acknowledged: not every kernel does that for the end.
        """
        first = self._send(requests, acknowledged=len(requests) - 2)
        while True:
            for kind, flags, sequence, body in self._receive():
                if kind == uapi.NLMSG_ERROR and 0 <= sequence - first < len(requests):
                    return _answer(flags, body)

    def request_each(self, requests: Sequence[bytes]) -> list[bytes | Answer]:
        """Per GET request the body of its reply, or the error that came instead."""
        replies: list[bytes | Answer] = []
        for start in range(0, len(requests), _BATCH_REQUESTS):
            replies += self._request_each(requests[start : start + _BATCH_REQUESTS])
        return replies

    def _request_each(self, requests: Sequence[bytes]) -> list[bytes | Answer]:
        first = self._send(requests)
        replies: list[bytes | Answer | None] = [None] * len(requests)
        missing = len(requests)
        while missing:
            for kind, flags, sequence, body in self._receive():
                position = sequence - first
                if not 0 <= position < len(requests) or replies[position] is not None:
                    continue
                replies[position] = _answer(flags, body) if kind == uapi.NLMSG_ERROR else body
                missing -= 1
        return [reply for reply in replies if reply is not None]

    def replies(self, requests: Sequence[bytes]) -> list[bytes]:
        """As :meth:`request_each`, of what exists only."""
        return [reply for reply in self.request_each(requests) if isinstance(reply, bytes)]

    def dump(self, request: bytes) -> list[bytes]:
        """Bodies of all messages of a consistent dump; an interrupted one starts over.

        Raises:
            OperationFailed: the kernel refused, or the tables changed during every attempt.
        """
        for _ in range(DUMP_ATTEMPTS):
            try:
                return list(self._dump(request))
            except DumpInterrupted:
                continue
        raise OperationFailed("netlink dump", errno.EINTR, "the tables keep changing")

    def _dump(self, request: bytes) -> Iterator[bytes]:
        expected = self._send((request,))
        interrupted = False
        while True:
            for kind, flags, sequence, body in self._receive():
                if sequence != expected:
                    continue
                interrupted = interrupted or bool(flags & uapi.NLM_F_DUMP_INTR)
                if kind in (uapi.NLMSG_ERROR, uapi.NLMSG_DONE):
                    _raise_error_of_dump(kind, flags, body)
                    if interrupted:
                        raise DumpInterrupted
                    return
                yield body

    def _send(self, requests: Sequence[bytes], *, acknowledged: int = -1) -> int:
        """Number the messages and send them all; returns the first sequence number.

        The message at ``acknowledged`` asks for an acknowledgement.
        """
        first = self._sequence + 1
        self._sequence += len(requests)
        buffer = bytearray().join(requests)
        offset = 0
        for position, request in enumerate(requests):
            _SEQUENCE.pack_into(buffer, offset + 8, first + position)
            if position == acknowledged:
                (flags,) = _FLAGS.unpack_from(buffer, offset + 6)
                _FLAGS.pack_into(buffer, offset + 6, flags | uapi.NLM_F_ACK)
            offset += len(request)
        self._socket.sendto(buffer, (0, 0))
        return first

    def _receive(self) -> Sequence[tuple[int, int, int, bytes]]:
        """Messages of one receive; what does not come from the kernel is passed over."""
        try:
            data, (port, _) = self._socket.recvfrom(_RECEIVE, socket.MSG_DONTWAIT)
            return list(messages(data)) if port == 0 else ()
        except OSError as error:
            code = error.errno or errno.EIO
            raise OperationFailed("netlink", code, "the kernel's answer was lost") from error
        except ValueError as error:
            raise unreadable(error) from error


def unreadable(error: ValueError) -> OperationFailed:
    """The kernel's answer makes no sense to us."""
    return OperationFailed("netlink", errno.EBADMSG, f"unreadable answer: {error}")


def _answer(flags: int, body: bytes) -> Answer:
    """A ``struct nlmsgerr`` with its extended-ack attributes (NETLINK_CAP_ACK is on)."""
    try:
        (code,) = unpack(_ERRNO, body)
        if not code:
            return DONE
        words = b""
        if flags & uapi.NLM_F_ACK_TLVS:
            found = attributes(body, _ERRNO.size + HEADER_LENGTH)
            words = found.get(uapi.NLMSGERR_ATTR_MSG, b"")
    except ValueError as error:
        raise unreadable(error) from error
    return (-code, words.rstrip(b"\0").decode(errors="replace"))


def _raise_error_of_dump(kind: int, flags: int, body: bytes) -> None:
    """``NLMSG_DONE`` carries an errno too."""
    if kind == uapi.NLMSG_ERROR:
        code, detail = _answer(flags, body)
    else:
        code, detail = (-_ERRNO.unpack_from(body)[0] if len(body) >= _ERRNO.size else 0), ""
    if code:
        raise OperationFailed("netlink dump", code, detail)
