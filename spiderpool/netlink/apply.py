"""Carry out a plan in one namespace, in as few system calls as its order allows."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence

from spiderpool.errors import OperationFailed
from spiderpool.netlink.channel import Answer
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.operations import (
    AddRoute,
    AddRule,
    CreateLink,
    MarkReplies,
    Operation,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.netlink.text import as_command
from spiderpool.netlink.transport import Kernel, Transport


def apply(target: Namespace | Transport, operations: Sequence[Operation]) -> tuple[int, ...]:
    """Execute ``operations`` in order; returns the places of those that changed something.

    Consecutive rtnetlink operations are one batch, that is one ``sendmsg``; sysctls,
    nftables changes and the creation of a link without a chosen index end a batch. Adding
    a route or rule that is there already succeeds and changes nothing.

    Raises:
        OperationFailed: naming the first operation that the kernel refused. Later ones of
            its batch were still executed (the kernel does not stop there), later batches
            were not: ``applied`` says which operations changed something.
    """
    if isinstance(target, Namespace):
        with Kernel(target) as kernel:
            return apply(kernel, operations)
    applied: list[int] = []
    for start, batch in batches(operations):
        failed: tuple[int, Answer] | None = None
        for place, answer in enumerate(target.execute(batch), start):
            if answer[0] == 0:
                applied.append(place)
            elif not already_there(operations[place], answer[0]) and failed is None:
                failed = (place, answer)
        if failed is not None:
            place, (code, detail) = failed
            raise OperationFailed(
                as_command(operations[place]), code, detail, index=place, applied=tuple(applied)
            )
    return tuple(applied)


def apply_all(
    target: Namespace | Transport, operations: Sequence[Operation]
) -> tuple[OperationFailed, ...]:
    """Execute every operation, whatever happens to the others, and return what failed.

    For DEL and roll-back. What is absent already (see :func:`absent`) is among the failures.
    """
    if isinstance(target, Namespace):
        with Kernel(target) as kernel:
            return apply_all(kernel, operations)
    failures = []
    for start, batch in batches(operations):
        for place, (code, detail) in enumerate(target.execute(batch), start):
            if code and not already_there(operations[place], code):
                operation = as_command(operations[place])
                failures.append(OperationFailed(operation, code, detail, index=place))
    return tuple(failures)


def absent(failure: OperationFailed) -> bool:
    """Whether a deletion failed because there was nothing to delete."""
    return failure.errno in (errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL)


def already_there(operation: Operation, code: int) -> bool:
    """Whether the refusal says that nothing needed to be done."""
    return code == errno.EEXIST and isinstance(operation, AddRoute | AddRule)


def batches(operations: Sequence[Operation]) -> Iterator[tuple[int, Sequence[Operation]]]:
    """Cut a plan where one system call must end; yields start places and runs.

    After a link was created without a chosen index, its index has to be asked for.
    """
    start = 0
    for place, operation in enumerate(operations):
        last = place + 1 == len(operations)
        if last or _family(operation) != _family(operations[place + 1]) or _unindexed(operation):
            yield start, operations[start : place + 1]
            start = place + 1


def _family(operation: Operation) -> str:
    match operation:
        case SetSysctl():
            return "sysctl"
        case MarkReplies() | UnmarkReplies():
            return "nftables"
    return "rtnetlink"


def _unindexed(operation: Operation) -> bool:
    if not isinstance(operation, CreateLink):
        return False
    peer = operation.peer
    return (operation.namespace is None and operation.index is None) or (
        peer is not None and peer.namespace is None and peer.index is None
    )
