"""What the agent asks of whoever may work inside of namespaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.transport import Transport
from spiderpool.types.address import Address
from spiderpool.types.names import IfName


@dataclass(frozen=True, slots=True)
class Wire:
    """A NIC inside a pod's namespace.

    ``siblings`` are MACs of the pod's links. Until the plan is applied, another NIC of the
    pod in the same network answers for this one's address (sysctl arp_ignore=0).
    """

    namespace: Namespace
    nic: IfName
    mac: str
    siblings: frozenset[str] = frozenset()


class Inside(Transport, Protocol):
    """A namespace at work; left at the end of the ``with`` block."""

    @property
    def cookie(self) -> int:
        """See :attr:`spiderpool.netlink.namespace.Namespace.cookie`."""
        ...

    def announce(self, nic: IfName, mac: str, addresses: Iterable[Address]) -> None:
        """See :func:`spiderpool.kernel.detection.announce`; failures may only be logged."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class KernelRole(Protocol):
    """:class:`spiderpool.kernel.in_process.InProcess` does it here,
    :class:`spiderpool.kernel.remote.Remote` asks another process.

    Where that is gone, everything raises KernelRoleGone.
    """

    def open(self, namespace: Namespace) -> Inside:
        """To read and change the namespace; blocking. It stays its owner's."""
        ...

    def open_both(
        self, one: Namespace, other: Namespace
    ) -> AbstractContextManager[tuple[Inside, Inside]]:
        """As :meth:`open`, at less than twice the cost."""
        ...

    async def cookie(self, namespace: Namespace) -> int:
        """See :attr:`spiderpool.netlink.namespace.Namespace.cookie`."""
        ...

    async def conflicts(self, wire: Wire, addresses: Iterable[Address]) -> dict[Address, str]:
        """See :func:`spiderpool.kernel.detection.conflicts`."""
        ...

    async def silent(self, wire: Wire, gateways: Mapping[Address, Address]) -> tuple[Address, ...]:
        """See :func:`spiderpool.kernel.detection.silent`."""
        ...
