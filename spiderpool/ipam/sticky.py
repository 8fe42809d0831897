"""Addresses that outlive a pod: of StatefulSet pods and of KubeVirt's virtual machines.

Their slots name a keeper, ``StatefulSet/web`` or ``VirtualMachineInstance/vm1``. While the
keeper keeps them, a new pod in the place of the old one takes its addresses over: the same
ordinal of the StatefulSet, or the next launcher pod of the virtual machine. After that it gets
them again as long as nobody else has taken them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from spiderpool.ipam.blocks import seconds
from spiderpool.ipam.facts import Pod
from spiderpool.ipam.ledger import Entry
from spiderpool.types.ipblock import SlotState
from spiderpool.types.names import IfName

STATEFULSET = "StatefulSet"
MACHINE = "VirtualMachineInstance"

_MIGRATION = "kubevirt.io/migrationJobUID"
"""KubeVirt's label on the pod that a running virtual machine moves into."""

_ORDINAL = re.compile(r"-(0|[1-9][0-9]{0,8})$")


def keeper_of(pod: Pod) -> str | None:
    """What keeps the pod's addresses over its end; None for all other pods."""
    owner = pod.controller
    if owner.kind == MACHINE and owner.api_version.startswith("kubevirt.io/"):
        return f"{MACHINE}/{owner.name}"
    is_ours = owner.kind == STATEFULSET and owner.api_version.startswith("apps/")
    if is_ours and ordinal_of(pod.name, owner.name) is not None:
        return f"{STATEFULSET}/{owner.name}"
    return None


def is_moving_in(pod: Pod) -> bool:
    """Whether a virtual machine moves into the pod from one that still answers for the
    address that both hold: no host that nobody knows."""
    return pod.controller.kind == MACHINE and _MIGRATION in pod.labels


def ordinal_of(pod: str, statefulset: str) -> int | None:
    """``web-2`` of ``web`` is 2 (Kubernetes "StatefulSets", Ordinal Index)."""
    found = _ORDINAL.search(pod)
    if found is None or pod[: found.start()] != statefulset:
        return None
    return int(found[1])


def inheritance(kept: Iterable[Entry], pod: Pod, nic: IfName) -> list[Entry]:
    """Of what the keeper of ``pod`` keeps, the addresses that this NIC takes over; then what it
    gave back, as when it was scaled down, and nobody has taken since, the latest first."""
    by_name = pod.controller.kind == STATEFULSET
    found = [
        entry
        for entry in kept
        if entry.slot.state in (SlotState.HELD, SlotState.COOLING)
        and entry.slot.nic == nic
        and entry.slot.pod_uid != pod.uid
        and (entry.slot.pod == pod.key or not by_name)
    ]
    return sorted(found, key=lambda e: (e.slot.state is not SlotState.HELD, -seconds(e.slot.until)))
