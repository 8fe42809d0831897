"""The kernel role in the agent's own process, for development and tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from spiderpool.kernel import detection
from spiderpool.kernel.role import Wire
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address
from spiderpool.types.names import IfName


class Here(Kernel):
    """:class:`spiderpool.kernel.role.Inside`, of this process."""

    @property
    def cookie(self) -> int:
        return self.namespace.cookie

    def announce(self, nic: IfName, mac: str, addresses: Iterable[Address]) -> None:
        detection.announce(Wire(self.namespace, nic, mac), addresses)


class InProcess:
    """:class:`spiderpool.kernel.role.KernelRole` by this process' capabilities."""

    def open(self, namespace: Namespace) -> Here:
        return Here(namespace)

    @contextmanager
    def open_both(self, one: Namespace, other: Namespace) -> Iterator[tuple[Here, Here]]:
        with Here(one) as first, Here(other) as second:
            yield first, second

    async def cookie(self, namespace: Namespace) -> int:
        return namespace.cookie

    async def conflicts(self, wire: Wire, addresses: Iterable[Address]) -> dict[Address, str]:
        return await detection.conflicts(wire, addresses)

    async def silent(self, wire: Wire, gateways: Mapping[Address, Address]) -> tuple[Address, ...]:
        return await detection.silent(wire, gateways)
