"""Recorded discoveries of the cluster's CIDRs: ours must find the same, or more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.golden.compare import Comparison, differences
from spiderpool.controller.discovery import ClusterFacts, discover
from spiderpool.types.codec import decode, encode
from spiderpool.types.coordinator import CoordinatorSpec

_NO_CILIUM_KIND = "Cilium's cluster-pool and kubernetes modes need no CiliumPodIPPool kind"

EXPLAINED = {
    "cilium-clusterpool": _NO_CILIUM_KIND,
    "cilium-kubernetes": _NO_CILIUM_KIND,
    "kcm-nocidr": "without any CIDR the coordinator is NotReady; upstream says Synced",
    "kubeadm-auto-calicocni-nocrd": "Calico's missing kind is a reason; upstream retries silently",
    "kubeadm-auto-flannel": "flannel is known by its plugin; its network has any name (cbr0)",
}


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.stem for path in directory.glob("*.json"))


def compare(directory: Path, case: str) -> Comparison:
    """Upstream's status against ours for the same objects."""
    recorded = json.loads((directory / f"{case}.json").read_text())
    spec = decode(CoordinatorSpec, recorded["spec"], f"{case}: spec")
    theirs = meaning(recorded["result_status"])
    ours = meaning(encode(discover(spec, facts_of(recorded))))
    return Comparison(case, tuple(differences(theirs, ours)), EXPLAINED.get(case, ""))


def facts_of(recorded: dict[str, Any]) -> ClusterFacts:
    """The recorded objects, sorted into what they tell."""

    def of(kind: str, name: str = "") -> tuple[dict[str, Any], ...]:
        return tuple(
            obj
            for obj in recorded["objects"]
            if obj["kind"] == kind and name in ("", obj["metadata"]["name"])
        )

    return ClusterFacts(
        kubeadm_config=next(iter(of("ConfigMap", "kubeadm-config")), None),
        controller_managers=of("Pod"),
        calico_pools=of("IPPool") or None,
        cilium_config=next(iter(of("ConfigMap", "cilium-config")), None),
        default_cni=_default_cni(recorded["cni_conf"]),
    )


def _default_cni(file: list[str] | None) -> tuple[str, ...] | None:
    if file is None:
        return None
    config = json.loads(file[1])
    return (config["name"], *(plugin["type"] for plugin in config["plugins"]))


def meaning(status: dict[str, Any]) -> dict[str, Any]:
    """Phase and CIDRs. The words of a reason are ours; CIDRs count while it is Synced only."""
    phase = status.get("phase")
    if phase != "Synced":
        return {"phase": phase, "reason": bool(status.get("reason"))}
    return {
        "phase": phase,
        "overlayPodCIDR": status.get("overlayPodCIDR") or [],
        "serviceCIDR": status.get("serviceCIDR") or [],
    }
