"""The kernel role in the agent's own process, for development and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spiderpool.kernel import detection
from spiderpool.kernel.role import Wire
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import Address


class InProcess:
    """:class:`spiderpool.kernel.role.KernelRole` by this process' capabilities."""

    def open(self, namespace: Namespace) -> Kernel:
        return Kernel(namespace)

    async def cookie(self, namespace: Namespace) -> int:
        return namespace.cookie

    async def conflicts(self, wire: Wire, addresses: Iterable[Address]) -> dict[Address, str]:
        return await detection.conflicts(wire, addresses)

    async def silent(self, wire: Wire, gateways: Mapping[Address, Address]) -> tuple[Address, ...]:
        return await detection.silent(wire, gateways)

    def announce(self, wire: Wire, addresses: Iterable[Address]) -> None:
        detection.announce(wire, addresses)
