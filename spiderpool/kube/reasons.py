"""The reasons of all events that Spiderpool writes: stable words, made to be alerted on."""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """For the documentation: the kind of the object that has the event, what it says there,
    and what its reader may do."""

    on: str
    says: str
    remedy: str


class Reason(enum.StrEnum):
    """``Event.reason``; each has a :class:`Meaning`. Every one is of type Warning."""

    NO_ADDRESS = "NoAddress"
    BAD_INPUT = "BadInput"
    ADDRESS_CONFLICT = "AddressConflict"
    GATEWAY_UNREACHABLE = "GatewayUnreachable"
    POOL_EXHAUSTED = "PoolExhausted"
    SCALE_IPPOOL = "ScaleIPPool"
    CLUSTER_NOT_READY = "ClusterNotReady"
    OLD_NAME = "OldName"
    NOT_USABLE = "NotUsable"

    @property
    def meaning(self) -> Meaning:
        return _MEANINGS[self]


_MEANINGS = {
    Reason.NO_ADDRESS: Meaning(
        "Pod",
        "No pool has an address for a NIC; each pool is listed with the reason.",
        "Do what the reasons suggest; `spiderpoolctl explain pod` shows the same at any time.",
    ),
    Reason.BAD_INPUT: Meaning(
        "Pod",
        "An annotation, a pool or a network configuration that the pod names cannot be used.",
        "The message names the field, and what to write there.",
    ),
    Reason.ADDRESS_CONFLICT: Meaning(
        "Pod",
        "A host that is not a pod of ours answered for the address of a NIC.",
        "Find the host by its MAC in the message, or list its address in a SpiderReservedIP.",
    ),
    Reason.GATEWAY_UNREACHABLE: Meaning(
        "Pod",
        "The gateway of a NIC's network did not answer.",
        "Check the VLAN, the switch port of the node's NIC and the pool's spec.gateway.",
    ),
    Reason.POOL_EXHAUSTED: Meaning(
        "SpiderIPPool",
        "Every address that the pool may give is in use.",
        "Add ranges to spec.ips, or name a further pool where this one is named.",
    ),
    Reason.SCALE_IPPOOL: Meaning(
        "Deployment, StatefulSet, DaemonSet, Job, ...",
        "The automatic pool of the workload cannot be made or resized.",
        "The message says why, like a SpiderSubnet without enough addresses.",
    ),
    Reason.CLUSTER_NOT_READY: Meaning(
        "SpiderCoordinator",
        "The cluster's CIDRs are not known, so pods are refused.",
        "Do what the message says, or set spec.overlayPodCIDR and spec.serviceCIDR by hand.",
    ),
    Reason.OLD_NAME: Meaning(
        "SpiderMultusConfig",
        "A field is written by the name of an earlier release; it works still.",
        "Write the new name, which the message gives.",
    ),
    Reason.NOT_USABLE: Meaning(
        "SpiderMultusConfig, SpiderIPPool, SpiderSubnet, SpiderReservedIP, SpiderCoordinator",
        "The object cannot be used as it is written: a rule that the webhook did not check.",
        "The message names the field, and what to write there.",
    ),
}
