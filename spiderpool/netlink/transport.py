"""The seam to the kernel: what executes operations in one namespace and reads its state.

:class:`spiderpool.netlink.kernel.Kernel` is the real one, in this process;
:class:`spiderpool.kernel.remote.RemoteKernel` asks another process, the kernel role;
``spiderpool.testing.netlink`` has the fake, the recording and the faulting one. The same
contract tests run on all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from spiderpool.netlink.channel import Answer
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import Operation
from spiderpool.netlink.selection import EVERYTHING, Selection


class Transport(Protocol):
    """Executes operations in one namespace."""

    def execute(
        self, plan: Sequence[Operation], *, until_refused: bool = False
    ) -> Sequence[Answer]:
        """Do the operations in order, cut as :func:`spiderpool.netlink.batches.batches` does.

        Returns an answer for each operation. One that failed does not stop those behind it;
        ``until_refused``: it stops the batches behind its own, which have no answers then.
        """
        ...

    def dump(self, selection: Selection = EVERYTHING) -> NetState:
        """What the namespace holds, as far as it is selected."""
        ...

    def close(self) -> None: ...
