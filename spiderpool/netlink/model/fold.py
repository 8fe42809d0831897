"""One operation after another over a state."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace

from spiderpool.errors import OperationFailed
from spiderpool.netlink.batches import already_there
from spiderpool.netlink.model import addresses, links, neighbours, routes, rules
from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteAddress,
    DeleteLink,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    MarkReplies,
    Operation,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.netlink.text import as_command


def after(state: NetState, operations: Sequence[Operation]) -> NetState:
    """The state that ``operations`` lead to, each on top of those before it.

    Raises:
        OperationFailed: as :func:`spiderpool.netlink.apply.apply` does, but stopping at the
            operation that is refused: ``applied`` never lies behind it.
    """
    applied: list[int] = []
    for place, operation in enumerate(operations):
        try:
            state = step(state, operation)
            applied.append(place)
        except Refusal as refusal:
            if not already_there(operation, refusal.errno):
                command = as_command(operation)
                raise OperationFailed(
                    command, refusal.errno, index=place, applied=tuple(applied)
                ) from refusal
    return state


def step(state: NetState, operation: Operation) -> NetState:
    """The state after one operation.

    Raises:
        Refusal: with the errno that the kernel gives.
    """
    match operation:
        case AddRoute(route):
            return routes.add(state, route)
        case DeleteRoute(route):
            return routes.delete(state, route)
        case AddRule(rule):
            return rules.add(state, rule)
        case DeleteRule(rule):
            return rules.delete(state, rule)
        case AddAddress(entry):
            return addresses.add(state, entry)
        case DeleteAddress(entry):
            return addresses.delete(state, entry)
        case SetNeighbour(neighbour):
            return neighbours.put(state, neighbour)
        case DeleteNeighbour(neighbour):
            return neighbours.delete(state, neighbour)
        case CreateLink() | ChangeLink() | DeleteLink():
            return links.change(state, operation)
        case SetSysctl() | MarkReplies() | UnmarkReplies():
            return _setting(state, operation)


def _setting(state: NetState, operation: SetSysctl | MarkReplies | UnmarkReplies) -> NetState:
    match operation:
        case SetSysctl(key, value):
            link = links.link_of_sysctl(key)
            if link is not None and state.link(link) is None:
                raise Refusal(errno.ENOENT)
            return replace(state, sysctls={**state.sysctls, key: value})
        case MarkReplies(link):
            marks = tuple(name for name in state.reply_marks if name != link)
            return replace(state, reply_marks=(*marks, link))
        case UnmarkReplies(link):
            if link not in state.reply_marks:
                raise Refusal(errno.ENOENT)
            marks = tuple(name for name in state.reply_marks if name != link)
            return replace(state, reply_marks=marks)
