"""The errors that Spiderpool raises, and what a caller should do about each.

::

    SpiderpoolError
    ├── BadInput             a user wrote something wrong: says where, what, and the way out
    ├── OperationFailed      the kernel refused one operation of a plan
    ├── NamespaceGone        a network namespace cannot be opened any more
    ├── KernelRoleGone       the process that works in namespaces gave no answer
    ├── KubeError            the Kubernetes API answered with a Status
    │   ├── NotFound             404
    │   ├── AlreadyExists        409, reason AlreadyExists
    │   ├── Conflict             409, reason Conflict: read again and decide again
    │   ├── Gone                 410: list again
    │   ├── Invalid              422
    │   ├── Busy                 429: nothing was done, try again later
    │   └── Unreachable          no answer at all: try again later
    ├── NoAddress            IPAM found nothing to give, with the reason of each pool
    └── CniError             what a CNI plugin prints (CNI spec, section "Error")

Every leaf prints as one line that a user can act on.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from functools import partial
from typing import Any


class CniCode(enum.IntEnum):
    """Error codes of the CNI specification 1.1.0, section 5 "Error", and ours from 100 on."""

    INCOMPATIBLE_VERSION = 1
    UNSUPPORTED_FIELD = 2
    UNKNOWN_CONTAINER = 3
    INVALID_ENVIRONMENT = 4
    IO_FAILURE = 5
    DECODING_FAILURE = 6
    INVALID_NETWORK_CONFIG = 7
    TRY_AGAIN_LATER = 11
    PLUGIN_NOT_AVAILABLE = 50
    LIMITED_CONNECTIVITY = 51
    INTERNAL = 100
    NO_ADDRESS = 101
    CHECK_FAILED = 102
    OPERATION_FAILED = 103
    ADDRESS_CONFLICT = 104
    GATEWAY_UNREACHABLE = 105


class SpiderpoolError(Exception):
    """Root of the tree; ``code`` is what a CNI plugin reports for it."""

    code: CniCode = CniCode.INTERNAL


class BadInput(SpiderpoolError):
    """A value that a user wrote cannot be used.

    ``where`` is a file and line, or an object and field path; ``problem`` says what is
    wrong with the value; ``remedy`` says how to mend it.
    """

    code = CniCode.INVALID_NETWORK_CONFIG

    def __init__(self, where: str, problem: str, remedy: str = "") -> None:
        self.where, self.problem, self.remedy = where, problem, remedy
        super().__init__(f"{where}: {problem}" + (f"; {remedy}" if remedy else ""))

    def __reduce__(self) -> tuple[type[BadInput], tuple[str, str, str]]:
        """It travels between processes; exceptions do so by the arguments of ``__init__``."""
        return type(self), (self.where, self.problem, self.remedy)


class OperationFailed(SpiderpoolError):
    """The kernel refused ``operation`` (its text as an ``ip`` command) with ``errno``.

    ``index`` is its place in the plan. ``applied`` are the places of all operations that did
    change something: roll-back undoes exactly these, last first. They may lie behind
    ``index``, because the kernel goes on with a batch after an error.
    """

    code = CniCode.OPERATION_FAILED

    def __init__(
        self,
        operation: str,
        errno: int,
        detail: str = "",
        *,
        index: int = 0,
        applied: tuple[int, ...] = (),
    ) -> None:
        self.operation, self.errno, self.detail = operation, errno, detail
        self.index, self.applied = index, applied
        reason = os.strerror(errno) + (f" ({detail})" if detail else "")
        super().__init__(f"{operation}: {reason}")

    def __reduce__(self) -> tuple[Callable[..., OperationFailed], tuple[str, int, str]]:
        again = partial(type(self), index=self.index, applied=self.applied)
        return again, (self.operation, self.errno, self.detail)


class NamespaceGone(SpiderpoolError):
    """The network namespace does not exist, or not any more."""

    code = CniCode.UNKNOWN_CONTAINER


class KernelRoleGone(SpiderpoolError):
    """The kernel role does not answer; whether it did what it was asked is not known.

    What it may have done is taken back by DEL or GC, from footprint and state.
    """

    code = CniCode.TRY_AGAIN_LATER


class KubeError(SpiderpoolError):
    """A ``Status`` of the Kubernetes API, as an exception.

    ``status`` is the HTTP code, ``reason`` the machine-readable word (``NotFound``),
    ``details`` the Status' ``details`` object.
    """

    def __init__(
        self, status: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        self.status, self.reason, self.details = status, reason, details or {}
        self.message = message
        super().__init__(message or f"{status} {reason}")


class NotFound(KubeError):
    """404: the object does not exist."""


class AlreadyExists(KubeError):
    """409 ``AlreadyExists``: an object of that name is there."""


class Conflict(KubeError):
    """409 ``Conflict``: the object changed meanwhile; read it again and decide again."""


class Gone(KubeError):
    """410: the resource version is too old to watch from; list again."""


class Invalid(KubeError):
    """422: the API server or a webhook refused the object."""


class Busy(KubeError):
    """429: too much is asked of the API server; nothing was done."""

    code = CniCode.TRY_AGAIN_LATER


class Unreachable(KubeError):
    """The API server gave no answer; nothing is known about whether a write happened."""

    code = CniCode.TRY_AGAIN_LATER

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


class NoAddress(SpiderpoolError):
    """No candidate pool has an address to give; the text lists each pool and its reason.

    ``used_out``: a pool would serve the NIC, but all of its addresses are in use.
    """

    code = CniCode.NO_ADDRESS

    def __init__(self, message: str, *, used_out: bool = False) -> None:
        self.used_out = used_out
        super().__init__(message)


class CniError(SpiderpoolError):
    """An error object as the CNI specification defines it.

    ``code`` is one of the specification's codes or ours, ``details`` a longer text.
    """

    def __init__(self, code: CniCode, message: str, details: str = "") -> None:
        self.code, self.details = code, details
        super().__init__(message)
