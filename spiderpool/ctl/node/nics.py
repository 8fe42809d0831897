"""The NICs that pods' NICs are made on."""

from __future__ import annotations

from collections.abc import Iterator

from spiderpool.ctl.finding import Finding, ok, problem, warning
from spiderpool.ctl.node.facts import Nic, NodeFacts

OF_HYPERVISORS = ("vmxnet3", "hv_netvsc", "virtio_net", "vif", "xen_netfront", "ena", "gve")
LEAST_MTU = 1500


def check(facts: NodeFacts) -> Iterator[Finding]:
    """Each parent, or that there is none."""
    if not facts.parents:
        yield warning("parent NIC", "there is no default route to tell it by", "name it by --nic")
    for name in facts.parents:
        nic = facts.nics.get(name)
        if nic is None:
            has = ", ".join(sorted(facts.nics)) or "none"
            yield problem(f"NIC {name}", f"does not exist here (there are {has})", "name another")
        else:
            yield from _of_nic(nic)


def _of_nic(nic: Nic) -> Iterator[Finding]:
    where, wrong = f"NIC {nic.name}", False
    for bad, text, remedy in (
        (not nic.up, "is down", f"ip link set {nic.name} up"),
        (nic.up and not nic.carrier, "has no carrier", "check cable, switch port or virtual port"),
        (nic.wireless, "is wireless: access points drop other MACs than its own",
         "use ipvlan on it, or a wired NIC"),
        (bool(nic.master), f"is part of {nic.master}", f"use {nic.master} as the parent"),
    ):  # fmt: skip
        if bad:
            wrong = True
            yield problem(where, text, remedy)
    if nic.mtu < LEAST_MTU:
        wrong = True
        text = f"has MTU {nic.mtu}, and the coordinator's veth {LEAST_MTU} by default"
        yield warning(where, text, f"set spec.vethMTU of the SpiderCoordinator to {nic.mtu}")
    if nic.driver in OF_HYPERVISORS and not nic.promiscuous:
        text = (
            f"is virtual ({nic.driver}): its port must let MACs of pods through; whether it does "
            "cannot be seen from here"
        )
        remedy = "allow promiscuous mode and forged transmits on it, or use ipvlan"
        yield warning(where, text, remedy)
    elif not wrong:
        yield ok(where, f"up, MTU {nic.mtu}")
