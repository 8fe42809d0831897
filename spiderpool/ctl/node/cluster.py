"""What the node needs of the cluster: known CIDRs that no other network overlaps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from spiderpool.controller.admission.others import overlap
from spiderpool.controller.caches import SYSTEM_NAMESPACE
from spiderpool.controller.clusterconfig import KUBEADM_CONFIG
from spiderpool.controller.discovery import CILIUM_CONFIG, ClusterFacts, discover
from spiderpool.ctl.finding import Finding, ok, problem, warning
from spiderpool.ctl.node.facts import NodeFacts
from spiderpool.errors import NotFound
from spiderpool.kube import resources
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import Resource
from spiderpool.types.address import Prefix, family_of
from spiderpool.types.coordinator import (
    DEFAULT_COORDINATOR,
    CoordinatorSpec,
    CoordinatorStatus,
    SpiderCoordinator,
)
from spiderpool.types.metadata import read
from spiderpool.types.modes import Phase, PodCIDRType


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """``found`` is what discovery finds now, ``told`` what the SpiderCoordinator says;
    ``masters``: network -> the NICs that it is made on; ``pools_of``: network -> pools that it
    names, of networks without a VLAN of their own; ``pods``: room of this node, 0 when
    it is not known."""

    found: CoordinatorStatus
    told: CoordinatorStatus | None = None
    pools: Mapping[str, Prefix] = field(default_factory=dict)
    masters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pools_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pods: int = 0


async def read_cluster(client: Client, node: str) -> ClusterView:
    """Ask the API, for what the controller asks, too; it sees no files of nodes either.

    Raises:
        BadInput: the SpiderCoordinator cannot be read.
        KubeError: the API did not answer, or refused.
    """
    kinds = (resources.SPIDERCOORDINATOR, resources.SPIDERIPPOOL, resources.SPIDERMULTUSCONFIG,
             resources.CALICO_IPPOOL, resources.CILIUM_PODIPPOOL, resources.NODE,
             *resources.SERVICECIDRS)  # fmt: skip
    answers = await asyncio.gather(*(_served(client, kind) for kind in kinds))
    found = dict(zip(kinds, answers, strict=True))
    managers = await client.list(
        resources.POD, SYSTEM_NAMESPACE, label_selector="component=kube-controller-manager"
    )
    facts = ClusterFacts(
        kubeadm_config=await _config_map(client, KUBEADM_CONFIG),
        controller_managers=tuple(managers["items"]),
        calico_pools=found[resources.CALICO_IPPOOL],
        cilium_config=await _config_map(client, CILIUM_CONFIG),
        cilium_pools=found[resources.CILIUM_PODIPPOOL],
        service_cidrs=next(
            (found[k] for k in resources.SERVICECIDRS if found[k] is not None), None
        ),
    )
    spec, told = _coordinator(found[resources.SPIDERCOORDINATOR] or ())
    return ClusterView(
        found=discover(spec, facts),
        told=told,
        pools={o["metadata"]["name"]: Prefix(o["spec"]["subnet"])
               for o in found[resources.SPIDERIPPOOL] or ()},
        masters={_name(o): masters_of(o["spec"])
                 for o in found[resources.SPIDERMULTUSCONFIG] or ()},
        pools_of={_name(o): untagged_pools(o["spec"])
                  for o in found[resources.SPIDERMULTUSCONFIG] or ()},
        pods=_room(found[resources.NODE] or (), node),
    )  # fmt: skip


def _coordinator(objects: tuple[Object, ...]) -> tuple[CoordinatorSpec, CoordinatorStatus | None]:
    for obj in objects:
        if obj["metadata"]["name"] == DEFAULT_COORDINATOR:
            known = read(SpiderCoordinator, obj)
            return known.spec, known.status
    return CoordinatorSpec(pod_cidr_type=PodCIDRType.AUTO), None


def _name(obj: Object) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def untagged_pools(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The pools of a SpiderMultusConfig whose NICs are in its master's own network."""
    blocks = [block for block in spec.values() if isinstance(block, dict) and block.get("master")]
    if spec.get("vlan") or any(block.get("vlanID") for block in blocks):
        return ()
    lists = ((block.get("ippools") or {}).get(key) for block in blocks for key in ("ipv4", "ipv6"))
    return tuple(name for names in lists for name in names or ())


def masters_of(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The NICs that a SpiderMultusConfig's block names."""
    blocks = (block for block in spec.values() if isinstance(block, dict))
    named = (block.get("master") or () for block in blocks)
    lists = ((names,) if isinstance(names, str) else names for names in named)
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _room(nodes: tuple[Object, ...], name: str) -> int:
    for node in nodes:
        if node["metadata"]["name"] == name:
            pods = str(((node.get("status") or {}).get("allocatable") or {}).get("pods", ""))
            return int(pods) if pods.isdigit() else 0
    return 0


async def _served(client: Client, kind: Resource) -> tuple[Object, ...] | None:
    try:
        return tuple((await client.list(kind))["items"])
    except NotFound:
        return None


async def _config_map(client: Client, name: str) -> Object | None:
    try:
        return await client.get(resources.CONFIGMAP, name, SYSTEM_NAMESPACE)
    except NotFound:
        return None


def check(view: ClusterView, facts: NodeFacts) -> Iterator[Finding]:
    """Discovery, then overlaps, then the parents of networks."""
    yield _discovery(view)
    yield from _overlaps(view, facts)
    for network, masters in view.masters.items():
        for master in masters:
            if master not in facts.nics:
                text = f"its master {master} is not on this node: its pods do not start here"
                remedy = "correct spec, or keep its pods off this node"
                yield warning(f"SpiderMultusConfig {network}", text, remedy)
            yield from _elsewhere(view, facts, network, master)


def _elsewhere(view: ClusterView, facts: NodeFacts, network: str, master: str) -> Iterator[Finding]:
    """Pools that lie in none of the networks of the master."""
    for name in view.pools_of.get(network, ()):
        subnet = view.pools.get(name)
        if subnet is None:
            continue
        near = [p for p in facts.networks.get(master, ()) if family_of(p) is family_of(subnet)]
        if near and not any(overlap(subnet, each) for each in near):
            text = f"its SpiderIPPool {name} is {subnet}, but {master} of this node is in "
            remedy = "name a pool of that network, unless its wire carries both"
            yield warning(f"SpiderMultusConfig {network}", text + ", ".join(near), remedy)


def _discovery(view: ClusterView) -> Finding:
    where, found, told = "CIDR discovery", view.found, view.told
    if told is None:
        remedy = "install the chart, and see that the controller runs"
        return problem(where, "there is no SpiderCoordinator default with a status", remedy)
    if found.phase is not Phase.SYNCED:
        return problem(where, found.reason or "finds nothing", "")
    same = (set(found.overlay_pod_cidr), set(found.service_cidr)) == (
        set(told.overlay_pod_cidr),
        set(told.service_cidr),
    )
    if told.phase is not Phase.SYNCED or not same:
        text = (
            f"finds pods {_list(found.overlay_pod_cidr)} and services {_list(found.service_cidr)}, "
            f"the SpiderCoordinator says {told.phase}: {_list(told.overlay_pod_cidr)} "
            f"and {_list(told.service_cidr)}"
        )
        return warning(where, text, "see the controller's log")
    return ok(where, f"pods {_list(found.overlay_pod_cidr)}, services {_list(found.service_cidr)}")


def _list(prefixes: tuple[str, ...]) -> str:
    return ",".join(prefixes) or "none"


def _overlaps(view: ClusterView, facts: NodeFacts) -> Iterator[Finding]:
    pods = [("the pod CIDR", p) for p in view.found.overlay_pod_cidr]
    services = [("the service CIDR", p) for p in view.found.service_cidr]
    pools = [(f"SpiderIPPool {name}", subnet) for name, subnet in view.pools.items()]
    near = [(f"NIC {nic}'s network", prefix)
            for nic in facts.parents for prefix in facts.networks.get(nic, ())]  # fmt: skip
    found = False
    for one, other in (*product(pods, services), *product((*pools, *near), (*pods, *services))):
        if overlap(one[1], other[1]):
            found = True
            text = f"{one[1]} overlaps {other[0]} {other[1]}: packets to one take the other's way"
            yield problem(one[0], text, "give one of them another network")
    if not found:
        yield ok("networks", "of node, pools, pods and Services do not overlap")
