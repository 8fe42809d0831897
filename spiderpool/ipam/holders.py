"""The record of a NIC that asks for an address."""

from __future__ import annotations

from spiderpool.ipam.facts import Pod
from spiderpool.ipam.sticky import keeper_of
from spiderpool.types.ipblock import Slot, SlotState
from spiderpool.types.names import ContainerID, IfName, NodeName


def holder_of(
    pod: Pod,
    nic: IfName,
    *,
    node: NodeName,
    network: str | None = None,
    container_id: ContainerID | None = None,
    netns: int | None = None,
) -> Slot:
    """The slot as it shall be, but for generation and pool; ``netns`` is the cookie of the
    pod's network namespace."""
    return Slot(
        state=SlotState.HELD,
        pod=pod.key,
        pod_uid=pod.uid,
        nic=nic,
        network=network,
        container_id=container_id,
        node=node,
        netns=netns,
        owner=keeper_of(pod),
    )
