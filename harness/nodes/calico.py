"""Calico on one node: gives pods addresses of the node's blocks and wires them."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

from harness.netns import nft
from harness.netns.proxyarp import answer_at_once
from harness.topology import calico
from harness.topology.compile import settings
from harness.topology.model import Machine, Topology
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.apply import absent, apply, apply_all
from spiderpool.netlink.namespace import Namespace
from spiderpool.types.address import (
    Address,
    Family,
    Prefix,
    contains,
    family_of,
    from_int,
    length_of,
    to_int,
)

_FIRST_INDEX = 100
"""Of the node's ends of pods' veths; below are the node's own NICs."""

_MAX_HOSTS = 1 << 16
"""Of a block. Calico's are /26 and /122."""


class BlockExhausted(SpiderpoolError):
    """A node has no address left in its block."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a pod got: ``eth0`` with these addresses and MAC, and the node's end of it."""

    wire: calico.Wire

    @property
    def addresses(self) -> tuple[Address, ...]:
        return self.wire.addresses

    @property
    def mac(self) -> str:
        return self.wire.mac


class Block:
    """The addresses of one block, lowest first, then the one released longest ago.

    The first is the node's own (Calico gives it to the tunnel device).
    """

    def __init__(self, prefix: Prefix) -> None:
        self.prefix = prefix
        family = family_of(prefix)
        hosts = min(1 << family.bits - length_of(prefix), _MAX_HOSTS)
        base = to_int(prefix)
        self._free = deque(from_int(base + ordinal, family) for ordinal in range(1, hosts))

    @property
    def family(self) -> Family:
        return family_of(self.prefix)

    def take(self) -> Address:
        """Raises BlockExhausted when all are in use."""
        if not self._free:
            raise BlockExhausted(f"no address left in block {self.prefix}")
        return self._free.popleft()

    def release(self, address: Address) -> None:
        self._free.append(address)


class Calico:
    """``node`` is where the node's ends of all wires are."""

    def __init__(self, machine: Machine, topology: Topology, node: Namespace) -> None:
        self._node, self._topology = node, topology
        self._blocks = [Block(prefix) for prefix in machine.blocks]
        self._indices = itertools.count(_FIRST_INDEX)

    async def start(self) -> None:
        """Masquerade what leaves the pod network (an IPPool's natOutgoing)."""
        await nft.load(self._node, nat_outgoing(self._topology.pod_cidrs))

    def attach(self, namespace: str, pod: str, sandbox: Namespace) -> Attachment:
        """Give the pod an ``eth0``; nothing stays behind when it fails.

        Raises:
            BlockExhausted, OperationFailed.
        """
        addresses: list[Address] = []
        try:
            for family in Family:
                if blocks := [block for block in self._blocks if block.family is family]:
                    addresses.append(_take(blocks))
            wire = calico.wire(
                namespace, pod, tuple(addresses), self._topology.pod_mtu, next(self._indices)
            )
            self._connect(wire, sandbox)
        except SpiderpoolError:
            self._release(addresses)
            raise
        return Attachment(wire)

    def prepare(self, sandbox: Namespace) -> None:
        """Say what the links of a new pod are born with."""
        apply(sandbox, settings(forwards=False, rp_filter=self._topology.rp_filter))

    def detach(self, attachment: Attachment) -> None:
        """Take the wire away and give the addresses back; done already is done."""
        failures = apply_all(self._node, calico.remove(attachment.wire))
        for failure in failures:
            if not absent(failure):
                raise failure
        self._release(attachment.addresses)

    def _connect(self, wire: calico.Wire, sandbox: Namespace) -> None:
        self.prepare(sandbox)
        try:
            apply(self._node, tuple(calico.on_host(wire, sandbox.fd)))
            answer_at_once(self._node, wire.host_link, wire.index)
            apply(sandbox, tuple(calico.in_pod(wire)))
        except SpiderpoolError:
            apply_all(self._node, calico.remove(wire))
            raise

    def _release(self, addresses: tuple[Address, ...] | list[Address]) -> None:
        for address in addresses:
            for block in self._blocks:
                if contains(block.prefix, address):
                    block.release(address)


def _take(blocks: list[Block]) -> Address:
    """From the first block that has one."""
    for block in blocks[:-1]:
        try:
            return block.take()
        except BlockExhausted:
            continue
    return blocks[-1].take()


def nat_outgoing(pod_cidrs: tuple[Prefix, ...]) -> str:
    """An nft script. IPv6 pools are not translated: that is Calico's default."""
    cidrs = ", ".join(cidr for cidr in pod_cidrs if family_of(cidr) is Family.V4)
    if not cidrs:
        return ""
    return f"""
table ip calico {{
  chain postrouting {{
    type nat hook postrouting priority srcnat
    ip saddr {{ {cidrs} }} ip daddr != {{ {cidrs} }} masquerade
  }}
}}
"""
