"""Stand-ins for :class:`spiderpool.netlink.kernel.Kernel`.

The fake behaves as the kernel does, which the tests in ``tests/contract/netlink`` hold it
to; the others wrap any transport to record what goes through it or to break it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import replace

from spiderpool.netlink.batches import Batch, in_batches
from spiderpool.netlink.channel import DONE, Answer
from spiderpool.netlink.model import Refusal, step
from spiderpool.netlink.model.routes import deciding
from spiderpool.netlink.objects import Link, NetState, Route, Rule, Scope
from spiderpool.netlink.operations import Operation
from spiderpool.netlink.selection import EVERYTHING, Selection
from spiderpool.netlink.transport import Transport
from spiderpool.types.address import Family
from spiderpool.types.names import LOCAL, MAIN, IfName, TableID

_DEFAULT = TableID(253)

FRESH = NetState(
    links=(Link(IfName("lo"), 1, mac="00:00:00:00:00:00", mtu=65536, broadcast=False,
                multicast=False, loopback=True),),
    rules=(
        Rule(0, LOCAL),
        Rule(32766, MAIN),
        Rule(32767, _DEFAULT),
        Rule(0, LOCAL, Family.V6),
        Rule(32766, MAIN, Family.V6),
    ),
)  # fmt: skip
"""A namespace that was just made."""


class FakeKernel:
    """A namespace in memory; ``state`` is what it holds."""

    def __init__(self, state: NetState = FRESH) -> None:
        self.state = state

    def execute(
        self, plan: Sequence[Operation], *, until_refused: bool = False
    ) -> Sequence[Answer]:
        return in_batches(
            lambda batch: [self._execute(operation) for operation in batch],
            plan,
            until_refused=until_refused,
        )

    def _execute(self, operation: Operation) -> Answer:
        try:
            self.state = step(self.state, operation)
        except Refusal as refusal:
            return refusal.errno, ""
        return DONE

    def dump(self, selection: Selection = EVERYTHING) -> NetState:
        return selected(self.state, selection)

    def close(self) -> None:
        """Nothing to close; the state stays readable."""


class Recording:
    """Passes everything on to ``inner`` and keeps what was tried in ``operations``."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.operations: tuple[Operation, ...] = ()

    def execute(
        self, plan: Sequence[Operation], *, until_refused: bool = False
    ) -> Sequence[Answer]:
        answers = self.inner.execute(plan, until_refused=until_refused)
        self.operations += tuple(plan[: len(answers)])
        return answers

    def dump(self, selection: Selection = EVERYTHING) -> NetState:
        return self.inner.dump(selection)

    def close(self) -> None:
        self.inner.close()


class Faulting:
    """Refuses the ``place``-th operation, counted from 0, with ``code``; does all others.

    As the kernel, it goes on with what stands behind the refused operation in its batch.
    """

    def __init__(self, inner: Transport, place: int, code: int = errno.EPERM) -> None:
        self.inner, self.place, self.code = inner, place, code
        self._seen = 0

    def execute(
        self, plan: Sequence[Operation], *, until_refused: bool = False
    ) -> Sequence[Answer]:
        return in_batches(self._execute, plan, until_refused=until_refused)

    def _execute(self, batch: Batch) -> Sequence[Answer]:
        at = self.place - self._seen
        self._seen += len(batch)
        if not 0 <= at < len(batch):
            return self.inner.execute(batch)
        before, after = batch[:at], batch[at + 1 :]
        refused = (self.code, os.strerror(self.code))
        return [*self.inner.execute(before), refused, *self.inner.execute(after)]

    def dump(self, selection: Selection = EVERYTHING) -> NetState:
        return self.inner.dump(selection)

    def close(self) -> None:
        self.inner.close()


def selected(state: NetState, selection: Selection) -> NetState:
    """The part of ``state`` that a dump with ``selection`` shows."""
    families = selection.families

    def wanted(name: str | None, names: Sequence[str] | None) -> bool:
        return names is None or name in names

    links = tuple(
        one
        for one in state.links
        if wanted(one.name, selection.links) or one.index in selection.link_numbers
    )
    return replace(
        state,
        links=links,
        addresses=tuple(
            one
            for one in state.addresses
            if wanted(one.link, selection.addresses_of)
            and one.family in families
            and (selection.link_local or (one.family, one.scope) != (Family.V6, Scope.LINK))
        ),
        routes=(*_of_tables(state, selection), *_deciding(state, selection)),
        rules=tuple(one for one in state.rules if selection.rules and one.family in families),
        neighbours=tuple(
            one
            for one in state.neighbours
            if wanted(one.link, selection.neighbourhoods(links)) and one.family in families
        ),
        reply_marks=state.reply_marks if selection.reply_marks else (),
        sysctls={key: state.sysctls[key] for key in selection.keys(links) if key in state.sysctls},
    )


def _of_tables(state: NetState, selection: Selection) -> list[Route]:
    return [
        one
        for one in state.routes
        if one.family in selection.families
        and (selection.tables is None or one.table in selection.tables)
    ]


def _deciding(state: NetState, selection: Selection) -> list[Route]:
    found = (deciding(state, address) for address in selection.routes_to)
    return list(dict.fromkeys(route for route in found if route is not None))
