"""Where one system call of a plan must end and the next one begin. Pure."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence

from spiderpool.netlink.channel import Answer
from spiderpool.netlink.operations import (
    AddRoute,
    AddRule,
    CreateLink,
    MarkReplies,
    Operation,
    SetSysctl,
    UnmarkReplies,
)

Batch = Sequence[Operation]


def in_batches(
    execute: Callable[[Batch], Sequence[Answer]],
    plan: Sequence[Operation],
    *,
    until_refused: bool,
) -> list[Answer]:
    """What :meth:`spiderpool.netlink.transport.Transport.execute` promises, by ``execute`` of
    one batch."""
    answers: list[Answer] = []
    for batch in batches(plan):
        found = execute(batch)
        answers += found
        if until_refused and any(map(is_refused, batch, found)):
            break
    return answers


def is_refused(operation: Operation, answer: Answer) -> bool:
    """Whether what should have been done was not, and needed to be."""
    code, _ = answer
    return code != 0 and not already_there(operation, code)


def already_there(operation: Operation, code: int) -> bool:
    """Whether the refusal says that nothing needed to be done."""
    return code == errno.EEXIST and isinstance(operation, AddRoute | AddRule)


def batches(operations: Sequence[Operation]) -> Iterator[Batch]:
    """Cut a plan where one system call must end.

    After a link was created without a chosen index, its index has to be asked for.
    """
    start = 0
    for place, operation in enumerate(operations):
        last = place + 1 == len(operations)
        if last or _family(operation) != _family(operations[place + 1]) or _unindexed(operation):
            yield operations[start : place + 1]
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
