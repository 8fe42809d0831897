"""Netlink messages of one piece of work, taped to be sent again: what the kernel costs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from spiderpool.netlink.channel import Channel
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.operations import CreateLink, Operation

FREE_INDEX = 10000


class Tape:
    """Calls as they were made, sockets included, which must stay open."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[[Any], Any], Any]] = []

    @contextmanager
    def recording(self, *methods: tuple[type, str]) -> Iterator[None]:
        """Note the calls of these methods in the body, each of one argument."""
        with ExitStack() as patches:
            for owner, name in methods:
                noting = self._noting(getattr(owner, name))
                patches.enter_context(mock.patch.object(owner, name, noting))
            yield

    def _noting(self, method: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def note(owner: Any, argument: Any) -> Any:
            self._calls.append((method.__get__(owner), argument))
            return method(owner, argument)

        return note

    def play(self) -> list[Any]:
        """Make the calls again; what they returned."""
        return [call(argument) for call, argument in self._calls]


QUESTIONS = ((Channel, "dump"), (Channel, "request_each"))
CHANGES = ((Channel, "batch"), (Channel, "transaction"), (Kernel, "_write_sysctls"))
"""Without the questions for indices, which are known beforehand."""


def refused(answers: Sequence[Any]) -> bool:
    """Whether the kernel refused one of the changes that were played."""
    flat = [one for answer in answers for one in (answer if isinstance(answer, list) else [answer])]
    return any(code for code, _ in flat)


def with_indices(operation: Operation) -> Operation:
    """A link that is made gets an index of our choice, or its routes could not be taped."""
    if not isinstance(operation, CreateLink):
        return operation
    peer = operation.peer and replace(operation.peer, index=FREE_INDEX + 1)
    return replace(operation, index=FREE_INDEX, peer=peer)
