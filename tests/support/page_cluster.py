"""The page's topology in namespaces, with two pods a node: controller-0 to worker01-1."""

from __future__ import annotations

import socket
from pathlib import Path

from harness.netns.ledger import Ledger
from harness.nodes.calico import Calico
from harness.topology.build import build
from harness.topology.load import load

PAGE = Path(__file__).parents[2] / "scenarios/_topologies/page.yaml"

ECHO_REQUEST = bytes((8, 0, 0xF7, 0xFF, 0, 0, 0, 0))
"""ICMP type, code, checksum, identifier and sequence number."""


class PageCluster:
    """Call :meth:`up` inside a sandbox."""

    def __init__(self) -> None:
        self.topology = load(PAGE)
        self.ledger = Ledger()
        self.address: dict[str, str] = {}
        self.host_link: dict[str, str] = {}

    async def up(self) -> None:
        build(self.topology, self.ledger)
        for node in self.topology.nodes:
            calico = Calico(node, self.topology, self.ledger[node.name])
            await calico.start()
            for number in range(2):
                pod = f"{node.name}-{number}"
                attachment = calico.attach("default", pod, self.ledger.create(pod))
                self.address[pod] = attachment.addresses[0]
                self.host_link[pod] = attachment.wire.host_link

    def ping(self, sender: str, target: str) -> bool:
        """Whether an echo request is answered."""
        with self.ledger[sender].socket(socket.AF_INET, socket.SOCK_RAW, 1) as icmp:
            icmp.settimeout(2)
            icmp.sendto(ECHO_REQUEST, (target, 0))
            try:
                while True:
                    data, (source, _) = icmp.recvfrom(2048)
                    if data[20] == 0 and source == target:
                        return True
            except TimeoutError:
                return False
