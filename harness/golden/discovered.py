"""Why our discovery of the cluster's CIDRs ends otherwise than upstream's: rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.golden.compare import Leaf, Rules
from spiderpool.controller.discovery import ClusterFacts, known
from spiderpool.types.coordinator import CoordinatorSpec
from spiderpool.types.modes import PodCIDRType

Object = dict[str, Any]

_KUBEADM = {"pods": r"podSubnet:\s*(\S+)", "services": r"serviceSubnet:\s*(\S+)"}
_ARGUMENTS = {
    "pods": r"--cluster-cidr[= ](\S+)",
    "services": r"--service-cluster-ip-range[= ](\S+)",
}
_WITHOUT_POOLS = ("cluster-pool", "cluster-pool-v2beta", "kubernetes")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was asked, and what the cluster showed. Its texts are read here once more, by
    other means than the product's."""

    spec: CoordinatorSpec
    facts: ClusterFacts

    @property
    def kind(self) -> PodCIDRType:
        return self.spec.pod_cidr_type

    def by_kubeadm(self, what: str) -> list[str]:
        data = (self.facts.kubeadm_config or {}).get("data") or {}
        return _split(re.findall(_KUBEADM[what], data.get("ClusterConfiguration", "")))

    def by_arguments(self, what: str) -> list[str]:
        for pod in self.facts.controller_managers:
            container = pod["spec"]["containers"][0]
            line = " ".join([*container.get("command", ()), *container.get("args", ())])
            if found := _split(re.findall(_ARGUMENTS[what], line)):
                return found
        return []

    def told(self, what: str) -> list[str]:
        return self.by_kubeadm(what) or self.by_arguments(what)

    @property
    def by_service_objects(self) -> list[str]:
        found = known(self.facts.service_cidrs) or ()
        return [cidr for obj in found for cidr in obj["spec"].get("cidrs", ())]

    @property
    def services(self) -> list[str]:
        return self.by_service_objects or self.told("services")

    @property
    def by_calico(self) -> list[str]:
        usable = [p for p in known(self.facts.calico_pools) or () if not p["spec"].get("disabled")]
        return [pool["spec"]["cidr"] for pool in usable]

    @property
    def by_cilium(self) -> list[str]:
        """In the modes that need no pools of their own."""
        data = (self.facts.cilium_config or {}).get("data") or {}
        if data.get("ipam") == "kubernetes":
            return self.told("pods")
        keys = ("cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr")
        return _split(data[key] for key in keys if data.get(key))

    @property
    def cilium_mode(self) -> str:
        return str(((self.facts.cilium_config or {}).get("data") or {}).get("ipam", ""))


def _split(texts: Iterable[str]) -> list[str]:
    """Lists are written with commas or blanks, maybe in quotes."""
    return [item for text in texts for item in re.split(r"[,\s\"']+", text) if item]


def _becomes_ready(leaf: Leaf, pods: list[str], services: list[str]) -> bool:
    """From NotReady to just these CIDRs."""
    if leaf.path != "status" or leaf.theirs["phase"] != "NotReady":
        return False
    synced: Object = {"phase": "Synced", "overlayPodCIDR": pods, "serviceCIDR": services}
    return bool(leaf.ours == synced)


def _cilium_without_its_kind(leaf: Leaf, recorded: Recorded) -> bool:
    known = recorded.cilium_mode in _WITHOUT_POOLS and not recorded.facts.cilium_pools
    return known and _becomes_ready(leaf, recorded.by_cilium, recorded.services)


def _sources_that_count(leaf: Leaf, recorded: Recorded) -> bool:
    """ServiceCIDR objects say the services; nobody else is needed for pods by this kind."""
    pods: dict[PodCIDRType, list[str]] = {
        PodCIDRType.NONE: [],
        PodCIDRType.CALICO: recorded.by_calico,
        PodCIDRType.CILIUM: recorded.by_cilium,
    }
    if recorded.kind not in pods or not recorded.by_service_objects:
        return False
    return _becomes_ready(leaf, pods[recorded.kind], recorded.by_service_objects)


def _no_cidr_is_not_ready(leaf: Leaf, recorded: Recorded) -> bool:
    """Theirs is content without a list that nobody in the cluster says."""
    if leaf.path != "status" or leaf.theirs["phase"] != "Synced":
        return False
    if leaf.ours != {"phase": "NotReady", "reason": True}:
        return False
    told = recorded.kind in (PodCIDRType.CLUSTER, PodCIDRType.AUTO)
    no_pods = told and not leaf.theirs["overlayPodCIDR"] and not recorded.told("pods")
    no_services = not leaf.theirs["serviceCIDR"] and not recorded.services
    return no_pods or no_services


def _missing_kind_is_a_reason(leaf: Leaf, recorded: Recorded) -> bool:
    """Theirs says nothing while Calico's pools are not installed."""
    words = recorded.facts.default_cni or ()
    is_calico = recorded.kind is PodCIDRType.CALICO or (
        recorded.kind is PodCIDRType.AUTO and not {"calico", "k8s-pod-network"}.isdisjoint(words)
    )
    silent = leaf.path == "status" and leaf.theirs == {"phase": None, "reason": False}
    tells = leaf.ours == {"phase": "NotReady", "reason": True}
    return silent and tells and is_calico and recorded.facts.calico_pools is None


def _flannel_by_its_plugin(leaf: Leaf, recorded: Recorded) -> bool:
    name, *types = recorded.facts.default_cni or ("",)
    return (
        (leaf.path, leaf.theirs) == ("overlayPodCIDR", [])
        and recorded.kind is PodCIDRType.AUTO
        and ("flannel" in types and name != "flannel")
        and leaf.ours == recorded.told("pods")
    )


def _auto_by_traces(leaf: Leaf, recorded: Recorded) -> bool:
    """Without a CNI configuration theirs takes ``auto`` for ``none``."""
    if recorded.kind is not PodCIDRType.AUTO or recorded.facts.default_cni is not None:
        return False
    if recorded.facts.calico_pools:
        pods = recorded.by_calico
    elif recorded.cilium_mode in _WITHOUT_POOLS:
        pods = recorded.by_cilium
    else:
        pods = recorded.told("pods")
    return (leaf.path, leaf.theirs) == ("overlayPodCIDR", []) and leaf.ours == pods


def _each_list_for_itself(leaf: Leaf, recorded: Recorded) -> bool:
    """Ours takes from kubeadm-config what it says, theirs all from the controller manager."""
    what = {"overlayPodCIDR": "pods", "serviceCIDR": "services"}.get(leaf.path)
    if what is None or (recorded.by_kubeadm("pods") and recorded.by_kubeadm("services")):
        return False
    said = recorded.by_arguments(what)
    return bool(leaf.ours) and leaf.ours == recorded.told(what) and leaf.theirs in ([], said)


RULES: Rules[Recorded] = {
    "cilium-without-its-kind": _cilium_without_its_kind,
    "only-sources-that-count": _sources_that_count,
    "no-cidr-is-not-ready": _no_cidr_is_not_ready,
    "missing-kind-is-a-reason": _missing_kind_is_a_reason,
    "flannel-by-its-plugin": _flannel_by_its_plugin,
    "auto-by-traces": _auto_by_traces,
    "each-list-for-itself": _each_list_for_itself,
}
