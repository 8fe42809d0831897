"""The marks that a pod's answers bear."""

from __future__ import annotations

from collections.abc import Iterator

from harness.trace.wires import Nic
from spiderpool.coordinator.nics import NODE_VETH
from spiderpool.netlink.objects import NetState


def reply_marks(place: str, pod: NetState) -> Iterator[tuple[Nic, int]]:
    """Whatever sets the mark that a rule asks for, answers to what came in by veth0 bear it."""
    for rule in pod.rules:
        if rule.mark is not None:
            yield Nic(place, NODE_VETH), rule.mark
