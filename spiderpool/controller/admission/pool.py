"""Rules of SpiderIPPools."""

from __future__ import annotations

from spiderpool.controller.admission.autopool import check_automatic
from spiderpool.controller.admission.findings import Cluster, Findings, Object, Reason, Request
from spiderpool.controller.admission.ipnetwork import Network, check_network, check_subnet
from spiderpool.controller.admission.others import check_pools, check_subnets
from spiderpool.controller.admission.selectors import check_selector
from spiderpool.controller.admission.updates import check_unchanged, is_judged
from spiderpool.ipam.ranges import whole
from spiderpool.types.address import Family, family_of, from_int, length_of, to_int
from spiderpool.types.ippool import IPPoolSpec, SpiderIPPool
from spiderpool.types.metadata import read
from spiderpool.types.names import PoolName


def check(request: Request, cluster: Cluster, found: Findings) -> None:
    """A SpiderIPPool that is created, changed or deleted."""
    if request.new is None:
        _check_deletion(request.old or {}, cluster, found)
    elif is_judged(request.old, request.new, found):
        _check_spec(request.old, request.new, cluster, found)
        if not found.problems:
            check_automatic(request, found)


def _check_deletion(old: Object, cluster: Cluster, found: Findings) -> None:
    """With the guard on, a pool in use is not deleted."""
    held = cluster.held(PoolName(old["metadata"]["name"])) if cluster.guard_deletion else []
    if held:
        first = f"{held[0].slot.pod} {held[0].address}"
        problem = f"cannot delete a pool with allocated IPs({len(held)}); first: {first}"
        found.refuse("metadata.name", problem, "delete the pods first", Reason.FORBIDDEN)


def _check_spec(old: Object | None, new: Object, cluster: Cluster, found: Findings) -> None:
    check_unchanged(old, new, ("subnet", "ipVersion"), found)
    check_subnet(new.get("spec") or {}, cluster.families, found)
    if found.problems:
        return
    pool = found.attempt(read, SpiderIPPool, new)
    if pool is None:
        return
    _check_selectors(pool.spec, found)
    network = check_network(pool.spec, found)
    if found.problems:
        return
    name = PoolName(pool.metadata.name)
    check_pools(network, cluster.pools, name, found)
    check_subnets(network, cluster.subnets, found)
    if old is not None:
        _check_in_use(name, network, cluster, found)
    _warn(network, cluster, found)


def _check_selectors(spec: IPPoolSpec, found: Findings) -> None:
    if spec.pod_affinity is not None and spec.pod_affinity.empty:
        problem = "is empty and would match nothing"
        found.refuse("spec.podAffinity", problem, "remove it or add labels")
    for field, selector in (
        ("spec.podAffinity", spec.pod_affinity),
        ("spec.namespaceAffinity", spec.namespace_affinity),
        ("spec.nodeAffinity", spec.node_affinity),
    ):
        if selector is not None:
            check_selector(selector, field, found)
    for index, name in enumerate(spec.multus_name):
        if name.count("/") > 1 or not all(name.split("/")):
            problem = f"{name!r} is not name or namespace/name"
            found.refuse(f"spec.multusName[{index}]", problem, "write it like default/macvlan-1")


def _check_in_use(name: PoolName, network: Network, cluster: Cluster, found: Findings) -> None:
    """What a pod holds stays in the pool."""
    for entry in cluster.held(name):
        same_family = family_of(entry.address) is network.family
        if same_family and to_int(entry.address) not in network.total:
            problem = (
                f"remove an IP address {entry.address} that is being used by Pod {entry.slot.pod}"
            )
            found.refuse("spec.ips", problem, "delete the pod first", Reason.FORBIDDEN)
            return


def _warn(network: Network, cluster: Cluster, found: Findings) -> None:
    """Addresses that are listed and yet never handed out."""
    if not network.total.intervals:
        found.warn("spec.ips names no address: the pool hands out nothing")
    for node, addresses in sorted(cluster.nodes.items()):
        for address in addresses:
            if family_of(address) is network.family and to_int(address) in network.total:
                found.warn(
                    f"spec.ips contains node {node}'s address {address}; it is never handed out"
                )
    if network.family is Family.V4 and length_of(network.subnet) < 31:
        for word, value in zip(("network", "broadcast"), whole(network.subnet), strict=True):
            if value in network.total:
                address = from_int(value, network.family)
                found.warn(
                    f"spec.ips contains the {word} address {address}; it is never handed out"
                )
