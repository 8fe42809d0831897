"""The transport of this process: a rtnetlink socket inside the namespace."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self

from spiderpool.netlink import nftables, uapi
from spiderpool.netlink.batches import in_batches
from spiderpool.netlink.bonding import links_of
from spiderpool.netlink.channel import DONE, Answer, Channel
from spiderpool.netlink.closing import close_aside
from spiderpool.netlink.encode import UnknownLink, encode, encode_rule_beside
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import NetState, Rule
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteAddress,
    DeleteNeighbour,
    DeleteRoute,
    MarkReplies,
    Operation,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.netlink.reader import LinkNames, StateReader, read_reply_marks
from spiderpool.netlink.selection import EVERYTHING, Selection, rules_only
from spiderpool.netlink.sysctl import write_sysctl
from spiderpool.types.names import IfName


class Kernel:
    """The real thing: one rtnetlink socket inside ``namespace``, kept until :meth:`close`."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._routing = Channel(namespace)
        self._filtering: Channel | None = None

    @property
    def namespace(self) -> Namespace:
        return self._namespace

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the sockets; the namespace stays its owner's."""
        self._routing.close()
        if self._filtering is not None:
            close_aside(self._filtering)
            self._filtering = None

    def execute(
        self, plan: Sequence[Operation], *, until_refused: bool = False
    ) -> Sequence[Answer]:
        return in_batches(self._execute, plan, until_refused=until_refused)

    def _execute(self, batch: Sequence[Operation]) -> Sequence[Answer]:
        match batch[0]:
            case SetSysctl():
                return self._write_sysctls(batch)
            case MarkReplies() | UnmarkReplies():
                return self._mark(batch)
            case _:
                return self._change(batch)

    def dump(self, selection: Selection = EVERYTHING) -> NetState:
        state = StateReader(self._routing, self._namespace, selection).read()
        if not selection.reply_marks:
            return state
        return replace(state, reply_marks=read_reply_marks(self._nftables()))

    def _nftables(self) -> Channel:
        if self._filtering is None:
            self._filtering = Channel(self._namespace, uapi.NETLINK_NETFILTER)
        return self._filtering

    def _mark(self, batch: Sequence[Operation]) -> list[Answer]:
        channel = self._nftables()
        marks = [one for one in batch if isinstance(one, MarkReplies | UnmarkReplies)]
        return [channel.transaction(nftables.transaction(mark)) for mark in marks]

    def link_names(self) -> LinkNames:
        """Names and indices, each asked for once and then remembered."""
        return LinkNames(self._routing)

    def request_each(self, requests: Sequence[bytes]) -> list[bytes | Answer]:
        """Put questions to rtnetlink: the body of each reply, or the error instead."""
        return self._routing.request_each(requests)

    def _change(self, batch: Sequence[Operation]) -> list[Answer]:
        """Send a batch of rtnetlink operations; links that don't exist are ENODEV here."""
        needed = {name for operation in batch for name in links_by_index(operation)}
        indices = self.link_names().indices_of(needed)
        answers = [DONE] * len(batch)
        encoded: list[bytes] = []
        positions: list[int] = []
        for position, operation in enumerate(batch):
            try:
                encoded.append(encode(operation, indices))
                positions.append(position)
            except UnknownLink as error:
                answers[position] = (errno.ENODEV, f"there is no link {error.args[0]}")
            if isinstance(operation, CreateLink):
                indices.update(chosen_indices(operation))
        for position, answer in zip(positions, self._routing.batch(encoded), strict=True):
            answers[position] = answer
        for position, operation in enumerate(batch):
            if isinstance(operation, AddRule) and answers[position][0] == errno.EEXIST:
                answers[position] = self._insist(operation.rule, answers[position])
        return answers

    def _insist(self, rule: Rule, refusal: Answer) -> Answer:
        """Add a rule that the kernel takes for another one.

        To it, a rule for any source or destination exists when there is one for a certain
        source or destination that is like it otherwise (``fib4_rule_compare``).
        """
        if self.dump(rules_only(rule.family)).rules.count(rule.as_dumped):
            return refusal
        (answer,) = self._routing.batch([encode_rule_beside(rule)])
        return answer

    def _write_sysctls(self, batch: Sequence[Operation]) -> list[Answer]:
        answers = []
        with self._namespace.entered():
            for operation in batch:
                assert isinstance(operation, SetSysctl)
                code = write_sysctl(operation.key, operation.value)
                answers.append((code, os.strerror(code)) if code else DONE)
        return answers


def links_by_index(operation: Operation) -> Iterable[IfName]:
    """Names of the links whose index must be known to encode ``operation``."""
    match operation:
        case AddRoute(route) | DeleteRoute(route):
            names = [leg.link for leg in route.nexthops]
            return [*names, route.link] if route.link is not None else names
        case AddAddress(entry) | DeleteAddress(entry):
            return (entry.link,)
        case SetNeighbour(neighbour) | DeleteNeighbour(neighbour):
            return (neighbour.link,)
        case CreateLink(master=master, parent=parent, bond=bond):
            return [name for name in (master, parent, *links_of(bond)) if name is not None]
        case ChangeLink(master=master) if master is not None:
            return (master,)
    return ()


def chosen_indices(link: CreateLink) -> dict[IfName, int]:
    """What :class:`CreateLink` says about the indices of links in this namespace."""
    indices: dict[IfName, int] = {}
    if link.index is not None and link.namespace is None:
        indices[link.name] = link.index
    if link.peer is not None and link.peer.index is not None and link.peer.namespace is None:
        indices[link.peer.name] = link.peer.index
    return indices
