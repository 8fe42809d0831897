"""The page's topology in namespaces, with two pods a node: controller-0 to worker01-1."""

from __future__ import annotations

import socket
from pathlib import Path

from harness.netns.ledger import Ledger
from harness.nodes.calico import Calico
from harness.topology.build import build
from harness.topology.load import load
from harness.topology.model import Topology

_TOPOLOGIES = Path(__file__).parents[2] / "scenarios/_topologies"
PAGE, DUAL = _TOPOLOGIES / "page.yaml", _TOPOLOGIES / "dual.yaml"

ECHO_REQUEST = bytes((8, 0, 0xF7, 0xFF, 0, 0, 0, 0))
"""ICMP type, code, checksum, identifier and sequence number."""
ECHO_REQUEST_6 = bytes((128, 0, 0, 0, 0, 0, 0, 0))
"""The kernel fills in ICMPv6's checksum."""
ECHO_REPLY, ECHO_REPLY_6 = 0, 129


class PageCluster:
    """Call :meth:`up` inside a sandbox."""

    def __init__(self, topology: Topology | None = None) -> None:
        self.topology = topology or load(PAGE)
        self.ledger = Ledger()
        self.address: dict[str, str] = {}
        self.addresses: dict[str, tuple[str, ...]] = {}
        self.host_link: dict[str, str] = {}

    async def up(self) -> None:
        build(self.topology, self.ledger)
        for node in self.topology.nodes:
            calico = Calico(node, self.topology, self.ledger[node.name])
            await calico.start()
            for number in range(2):
                pod = f"{node.name}-{number}"
                attachment = calico.attach("default", pod, self.ledger.create(pod))
                self.addresses[pod] = attachment.addresses
                self.address[pod] = attachment.addresses[0]
                self.host_link[pod] = attachment.wire.host_link

    def ping(self, sender: str, target: str) -> bool:
        """Whether an echo request is answered."""
        if ":" in target:
            return self._ping(sender, target, socket.AF_INET6, ECHO_REQUEST_6, (ECHO_REPLY_6, 0))
        return self._ping(sender, target, socket.AF_INET, ECHO_REQUEST, (ECHO_REPLY, 20))

    def _ping(
        self, sender: str, target: str, family: int, request: bytes, reply: tuple[int, int]
    ) -> bool:
        """``reply``: the type of the answer, and where it stands in what is received."""
        kind, offset = reply
        protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
        with self.ledger[sender].socket(family, socket.SOCK_RAW, protocol) as icmp:
            icmp.settimeout(2)
            icmp.sendto(request, (target, 0))
            try:
                while True:
                    data, source = icmp.recvfrom(2048)
                    if data[offset] == kind and source[0] == target:
                        return True
            except TimeoutError:
                return False
