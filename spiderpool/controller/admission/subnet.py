"""Rules of SpiderSubnets."""

from __future__ import annotations

import json

from spiderpool.controller.admission.findings import Cluster, Findings, Object, Reason, Request
from spiderpool.controller.admission.ipnetwork import Network, check_network, check_subnet
from spiderpool.controller.admission.others import (
    APART,
    TOTAL,
    listed,
    overlap,
    readable_subnets,
)
from spiderpool.controller.admission.updates import check_unchanged, is_judged
from spiderpool.types.metadata import read
from spiderpool.types.subnet import SpiderSubnet


def check(request: Request, cluster: Cluster, found: Findings) -> None:
    """A SpiderSubnet that is created, changed or deleted."""
    if request.new is None:
        _check_deletion(request.old or {}, cluster, found)
    elif is_judged(request.old, request.new, found):
        _check_spec(request.old, request.new, cluster, found)


def _check_deletion(old: Object, cluster: Cluster, found: Findings) -> None:
    """With the guard on, a subnet that holds pools is not deleted."""
    if not cluster.guard_deletion:
        return
    text = (old.get("status") or {}).get("controlledIPPools")
    if text:
        names = ", ".join(sorted(json.loads(text)))
        problem = f"cannot delete a subnet that holds IPPools {names}"
        found.refuse("metadata.name", problem, "delete them first", Reason.FORBIDDEN)


def _check_spec(old: Object | None, new: Object, cluster: Cluster, found: Findings) -> None:
    check_unchanged(old, new, ("subnet", "ipVersion"), found)
    check_subnet(new.get("spec") or {}, cluster.families, found)
    if found.problems:
        return
    subnet = found.attempt(read, SpiderSubnet, new)
    if subnet is None:
        return
    network = check_network(subnet.spec, found)
    if found.problems:
        return
    for name, other in readable_subnets(cluster.subnets):
        if name != subnet.metadata.name and overlap(network.subnet, other.subnet):
            problem = f"overlap with Subnet {name} which 'spec.subnet' is {other.subnet}"
            remedy = "use one that shares no address with it"
            found.refuse("spec.subnet", problem, remedy, Reason.FORBIDDEN)
    _check_pools(network, cluster, found)


def _check_pools(network: Network, cluster: Cluster, found: Findings) -> None:
    """Pools of the same network fit in; pools of others do not touch it."""
    for pool in cluster.pools.over(network.subnet):
        problem = f"overlap with IPPool {pool.name} which 'spec.subnet' is {pool.subnet}"
        found.refuse("spec.subnet", problem, APART, Reason.FORBIDDEN)
    for pool in cluster.pools.of(network.subnet):
        if outside := (pool.listed - network.total).text():
            problem = f"lacks IP ranges {listed(outside)} of IPPool {pool.name}"
            found.refuse("spec.ips", problem, f"add them; {TOTAL}", Reason.FORBIDDEN)
