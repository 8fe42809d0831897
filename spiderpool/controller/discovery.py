"""The cluster's pod and service CIDRs, found out from what the API shows. Pure.

For each of the two lists, the first source that has it counts:

1. ``spec.overlayPodCIDR`` / ``spec.serviceCIDR`` of the SpiderCoordinator, given by hand;
2. the source that ``spec.podCIDRType`` names (pods), ServiceCIDR objects (services);
3. what Kubernetes itself was told: kubeadm-config, then a kube-controller-manager pod.

What cannot be found makes the SpiderCoordinator NotReady with a reason that says where was
looked and what to do; upstream's documented order, with its gaps closed (docs/differences.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from spiderpool.controller.clusterconfig import (
    KUBEADM_CONFIG,
    KUBEADM_WHERE,
    ClusterCIDRs,
    from_controller_manager,
    from_kubeadm,
    parse_networks,
)
from spiderpool.errors import BadInput, KubeError
from spiderpool.types.address import Prefix, host_prefix
from spiderpool.types.coordinator import CoordinatorSpec, CoordinatorStatus
from spiderpool.types.modes import Phase, PodCIDRType

Object = Mapping[str, Any]
Found = tuple[Object, ...] | KubeError | None
Kind = Literal["pods", "services"]

CILIUM_CONFIG = "cilium-config"
CILIUM_WHERE = f"ConfigMap kube-system/{CILIUM_CONFIG}"
CALICO_POOLS = "ippools.crd.projectcalico.org"
CILIUM_POOLS = "ciliumpodippools.cilium.io"
BY_HAND = "set spec.overlayPodCIDR and spec.serviceCIDR of the SpiderCoordinator by hand"
_REMEDY = f"{BY_HAND}, or write ConfigMap {KUBEADM_CONFIG}; it is read at once"
_WORDS: dict[Kind, str] = {"pods": "pod CIDR", "services": "service CIDR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What the API shows. None for a list means that the kind is not installed; an error, that
    it may not be read, and is raised where the list is needed.

    ``default_cni`` is name and plugin types of the first CNI configuration on the node;
    None when no directory of configurations was named, empty when there is none in it.
    """

    kubeadm_config: Object | None = None
    controller_managers: tuple[Object, ...] = ()
    calico_pools: Found = None
    cilium_config: Object | None = None
    cilium_pools: Found = None
    service_cidrs: Found = None
    default_cni: tuple[str, ...] | None = None


def discover(spec: CoordinatorSpec, facts: ClusterFacts) -> CoordinatorStatus:
    """Status of the SpiderCoordinator that holds for the cluster.

    Raises:
        KubeError: what is needed may not be read, so nobody knows.
    """
    problems: list[str] = []
    pods = _attempt(lambda: _pods(spec, facts), problems)
    services = _attempt(lambda: _services(spec, facts), problems)
    return CoordinatorStatus(
        phase=Phase.NOT_READY if problems else Phase.SYNCED,
        reason=". ".join(dict.fromkeys(problems)) or None,
        overlay_pod_cidr=pods,
        service_cidr=services,
    )


def known(found: Found) -> tuple[Object, ...] | None:
    """Raises KubeError for what may not be read."""
    if isinstance(found, KubeError):
        raise found
    return found


def _attempt(find: Callable[[], tuple[Prefix, ...]], problems: list[str]) -> tuple[Prefix, ...]:
    try:
        return find()
    except BadInput as exc:
        problems.append(str(exc))
        return ()


def _pods(spec: CoordinatorSpec, facts: ClusterFacts) -> tuple[Prefix, ...]:
    if spec.overlay_pod_cidr:
        return _by_hand(spec.overlay_pod_cidr, "overlayPodCIDR")
    source = spec.pod_cidr_type
    if source is PodCIDRType.AUTO:
        source = source_of_pods(facts)
    if source is PodCIDRType.NONE:
        return ()
    if source is PodCIDRType.CALICO:
        return _calico(facts)
    if source is PodCIDRType.CILIUM:
        return _cilium(facts)
    return _told(facts, "pods")


def _services(spec: CoordinatorSpec, facts: ClusterFacts) -> tuple[Prefix, ...]:
    if spec.service_cidr:
        return _by_hand(spec.service_cidr, "serviceCIDR")
    if objects := known(facts.service_cidrs):
        return _of_service_objects(objects)
    return _told(facts, "services")


def _by_hand(items: tuple[str, ...], field: str) -> tuple[Prefix, ...]:
    """Each item a CIDR, or an address that stands for itself."""
    found: list[Prefix] = []
    for index, item in enumerate(items):
        where = f"spec.{field}[{index}]"
        found += parse_networks(item if "/" in item else host_prefix(item), where)
    return tuple(found)


def source_of_pods(facts: ClusterFacts) -> PodCIDRType:
    """What ``podCIDRType: auto`` means here: by the node's CNI configuration, else by traces."""
    if facts.default_cni is not None:
        return _source_of_cni(facts.default_cni)
    if known(facts.calico_pools):
        return PodCIDRType.CALICO
    if facts.cilium_config is not None:
        return PodCIDRType.CILIUM
    return PodCIDRType.CLUSTER


def _source_of_cni(words: tuple[str, ...]) -> PodCIDRType:
    for word in words:
        if word in ("calico", "k8s-pod-network"):
            return PodCIDRType.CALICO
        if word in ("cilium", "cilium-cni"):
            return PodCIDRType.CILIUM
        if word == "flannel":
            return PodCIDRType.CLUSTER
    return PodCIDRType.NONE


def _calico(facts: ClusterFacts) -> tuple[Prefix, ...]:
    """Pools in use, in the order of their creation."""
    pools = known(facts.calico_pools)
    if pools is None:
        raise BadInput("podCIDRType calico", f"{CALICO_POOLS} is not installed", BY_HAND)
    usable = [
        pool
        for pool in pools
        if not pool["metadata"].get("deletionTimestamp")
        and not (pool.get("spec") or {}).get("disabled")
    ]
    usable.sort(key=lambda p: (p["metadata"].get("creationTimestamp", ""), p["metadata"]["name"]))
    if not usable:
        raise BadInput("podCIDRType calico", f"no enabled pool in {CALICO_POOLS}", BY_HAND)
    return tuple(
        network
        for pool in usable
        for network in parse_networks(
            str((pool.get("spec") or {}).get("cidr", "")),
            f"IPPool {pool['metadata']['name']}: spec.cidr",
        )
    )


def _cilium(facts: ClusterFacts) -> tuple[Prefix, ...]:
    """By the IPAM mode of Cilium (its documentation, "IP Address Management")."""
    if facts.cilium_config is None:
        raise BadInput("podCIDRType cilium", f"{CILIUM_WHERE} is missing", BY_HAND)
    data = facts.cilium_config.get("data") or {}
    mode = data.get("ipam", "")
    if mode == "kubernetes":
        return _told(facts, "pods")
    if mode == "multi-pool":
        return _cilium_pools(facts)
    if mode not in ("cluster-pool", "cluster-pool-v2beta"):
        raise BadInput(f"{CILIUM_WHERE}: data.ipam", f"mode {mode!r} is not supported", BY_HAND)
    keys = [k for k in ("cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr") if data.get(k)]
    if not keys:
        raise BadInput(CILIUM_WHERE, "data.cluster-pool-ipv4-cidr is missing", BY_HAND)
    return tuple(n for k in keys for n in parse_networks(data[k], f"{CILIUM_WHERE}: data.{k}"))


def _cilium_pools(facts: ClusterFacts) -> tuple[Prefix, ...]:
    pools = known(facts.cilium_pools)
    if not pools:
        state = "is not installed" if pools is None else "has no object"
        raise BadInput(f"{CILIUM_WHERE}: data.ipam multi-pool", f"{CILIUM_POOLS} {state}", BY_HAND)
    found: list[Prefix] = []
    for pool in sorted(pools, key=lambda p: str(p["metadata"]["name"])):
        for family in ("ipv4", "ipv6"):
            where = f"CiliumPodIPPool {pool['metadata']['name']}: spec.{family}.cidrs"
            for item in ((pool.get("spec") or {}).get(family) or {}).get("cidrs") or ():
                found += parse_networks(item, where)
    return tuple(found)


def _of_service_objects(objects: tuple[Object, ...]) -> tuple[Prefix, ...]:
    """ServiceCIDR objects, in the order of their names; the API server's own is kubernetes."""
    found: dict[Prefix, None] = {}
    for obj in sorted(objects, key=lambda o: str(o["metadata"]["name"])):
        where = f"ServiceCIDR {obj['metadata']['name']}: spec.cidrs"
        for item in (obj.get("spec") or {}).get("cidrs") or ():
            found |= dict.fromkeys(parse_networks(item, where))
    return tuple(found)


def _told(facts: ClusterFacts, kind: Kind) -> tuple[Prefix, ...]:
    """From kubeadm-config, else from the first kube-controller-manager pod that says it.

    Raises:
        BadInput: nobody says it; lists where was looked.
    """
    looked: list[str] = []
    for find in _sources(facts):
        try:
            found = find()
        except BadInput as exc:
            looked.append(str(exc))
            continue
        if networks := getattr(found, kind):
            return tuple(networks)
        looked.append(f"{found.source} says no {_WORDS[kind]}")
    raise BadInput("the cluster's CIDRs are not known", _findings(facts, looked), _REMEDY)


def _findings(facts: ClusterFacts, looked: list[str]) -> str:
    if not looked:
        return f"neither {KUBEADM_WHERE} nor a kube-controller-manager pod was found"
    if facts.kubeadm_config is None:
        looked = [f"{KUBEADM_WHERE} is missing", *looked]
    if not facts.controller_managers:
        looked = [*looked, "no kube-controller-manager pod was found"]
    return ", ".join(looked)


def _sources(facts: ClusterFacts) -> Iterator[Callable[[], ClusterCIDRs]]:
    if facts.kubeadm_config is not None:
        yield partial(from_kubeadm, facts.kubeadm_config)
    for pod in sorted(facts.controller_managers, key=lambda p: str(p["metadata"]["name"])):
        yield partial(from_controller_manager, pod)
