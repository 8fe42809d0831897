"""Carry out a plan in one namespace, in as few system calls as its order allows."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence

from spiderpool.errors import OperationFailed
from spiderpool.netlink.batches import is_refused
from spiderpool.netlink.channel import Answer
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.operations import Operation
from spiderpool.netlink.text import as_command
from spiderpool.netlink.transport import Transport


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
    answers = target.execute(operations, until_refused=True)
    applied = tuple(place for place, (code, _) in enumerate(answers) if code == 0)
    failures = _failures(zip(operations, answers, strict=False), applied)
    if failures:
        raise failures[0]
    return applied


def apply_all(
    target: Namespace | Transport, operations: Sequence[Operation]
) -> tuple[OperationFailed, ...]:
    """Execute every operation, whatever happens to the others, and return what failed.

    For DEL and roll-back. What is absent already (see :func:`absent`) is among the failures.
    """
    if isinstance(target, Namespace):
        with Kernel(target) as kernel:
            return apply_all(kernel, operations)
    return tuple(_failures(zip(operations, target.execute(operations), strict=True)))


def _failures(
    done: Iterable[tuple[Operation, Answer]], applied: tuple[int, ...] = ()
) -> list[OperationFailed]:
    return [
        OperationFailed(as_command(operation), *answer, index=place, applied=applied)
        for place, (operation, answer) in enumerate(done)
        if is_refused(operation, answer)
    ]


def absent(failure: OperationFailed) -> bool:
    """Whether a deletion failed because there was nothing to delete."""
    return failure.errno in (errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL)
