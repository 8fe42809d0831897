"""Carry a topology out: the thin, impure end of this package."""

from __future__ import annotations

from harness.netns.ledger import Ledger
from harness.topology.compile import compile_topology
from harness.topology.model import Topology
from spiderpool.netlink.apply import apply


def build(topology: Topology, ledger: Ledger) -> None:
    """Make the namespaces of ``topology`` in ``ledger`` and wire them.

    Raises:
        OperationFailed: naming what the kernel refused.
    """
    descriptors = {name: ledger.create(name).fd for name in topology.namespaces}
    for step in compile_topology(topology, descriptors):
        apply(ledger[step.namespace], step.operations)
