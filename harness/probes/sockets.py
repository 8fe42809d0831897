"""Client sockets inside a namespace, bound as a probe wants them, and what their errors mean."""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass

from harness.probes import icmp
from harness.scenario.expectations import Outcome
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address, Family
from spiderpool.types.names import IfName

_RECVERR = {Family.V4: (socket.IPPROTO_IP, 11), Family.V6: (socket.IPPROTO_IPV6, 25)}
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
"""``sock_extended_err`` (linux/errqueue.h): errno, origin, type, code, pad, info, data."""
_ORIGIN_ICMP = (2, 3)

_REFUSALS = {
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ECONNRESET: Outcome.REFUSED,
    errno.EPIPE: Outcome.REFUSED,
    errno.EHOSTUNREACH: Outcome.UNREACHABLE,
    errno.EACCES: Outcome.PROHIBITED,
    errno.EPERM: Outcome.PROHIBITED,
}
_OWN_REFUSALS = {
    **_REFUSALS,
    errno.ENETUNREACH: Outcome.NO_ROUTE,
    errno.EINVAL: Outcome.NO_ROUTE,  # a blackhole route
}
_OTHERS_REFUSALS = {**_REFUSALS, errno.ENETUNREACH: Outcome.UNREACHABLE}


class ProbeImpossible(SpiderpoolError):
    """The probe cannot be sent as written: its source or device is not there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a probe starts; ``source`` and ``device`` are bound when given."""

    namespace: Namespace
    source: Address | None = None
    device: IfName | None = None


def open_socket(origin: Origin, family: Family, kind: int, protocol: int = 0) -> socket.socket:
    """A non-blocking socket in the origin's namespace, bound as it says.

    Raises:
        ProbeImpossible: the source is no address there, or the device no link.
    """
    sock = origin.namespace.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(*_RECVERR[family], 1)
        if kind == socket.SOCK_STREAM:  # no TIME_WAIT that outlives the probe
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if origin.device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, origin.device.encode())
        if origin.source is not None:
            sock.bind((origin.source, 0))
    except OSError as error:
        sock.close()
        raise ProbeImpossible(
            f"cannot send from {origin.source or 'any address'} by {origin.device or 'any NIC'}: "
            f"{os.strerror(error.errno or 0)}"
        ) from error
    return sock


def own_refusal(error: OSError) -> tuple[Outcome, str]:
    """What the sender's own kernel says to a packet that it did not send.

    Raises the error itself when it says nothing of the kind.
    """
    return _outcome(error, _OWN_REFUSALS)


def refusal_from_afar(sock: socket.socket, error: OSError) -> tuple[Outcome, str]:
    """What an answer other than the wanted one means: an ICMP error, or a TCP reset."""
    reported = _reported_error(sock)
    return reported if reported is not None else _outcome(error, _OTHERS_REFUSALS)


def _outcome(error: OSError, meanings: dict[int, Outcome]) -> tuple[Outcome, str]:
    outcome = meanings.get(error.errno or 0)
    if outcome is None:
        raise error
    return outcome, os.strerror(error.errno or 0).lower()


def _reported_error(sock: socket.socket) -> tuple[Outcome, str] | None:
    """The ICMP error at the head of the socket's error queue (ip(7)); TCP has none."""
    try:
        _, ancillary, _, _ = sock.recvmsg(1024, 256, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    except OSError:
        return None
    family = Family(sock.family)
    for level, kind, data in ancillary:
        if (level, kind) == _RECVERR[family]:
            _, origin, icmp_type, code, *_ = _EXTENDED_ERROR.unpack_from(data)
            if origin in _ORIGIN_ICMP:
                outcome, detail = icmp.failure(family, icmp_type, code)
                return outcome, detail + _offender(family, data[_EXTENDED_ERROR.size :])
    return None


def _offender(family: Family, sockaddr: bytes) -> str:
    """Who sent the ICMP error: a ``sockaddr_in`` or ``sockaddr_in6`` behind the error."""
    start, length = (4, 4) if family is Family.V4 else (8, 16)
    raw = sockaddr[start : start + length]
    return f", says {socket.inet_ntop(family, raw)}" if len(raw) == length else ""
