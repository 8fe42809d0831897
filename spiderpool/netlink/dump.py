"""What a namespace holds, read from the kernel."""

from __future__ import annotations

from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.selection import EVERYTHING, Selection
from spiderpool.netlink.transport import Transport


def dump(target: Namespace | Transport, selection: Selection = EVERYTHING) -> NetState:
    """The selected state; see :class:`Selection` for what can be left out.

    Raises:
        OperationFailed: the kernel refused, or its tables changed during every attempt.
    """
    if isinstance(target, Namespace):
        with Kernel(target) as kernel:
            return kernel.dump(selection)
    return target.dump(selection)
