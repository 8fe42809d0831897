"""Recorded discoveries of the cluster's CIDRs: ours must find the same, or more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.golden.compare import Judgement, Leaf, explained, leaves
from harness.golden.discovered import RULES, Recorded
from spiderpool.controller.discovery import ClusterFacts, discover
from spiderpool.types.codec import decode, encode
from spiderpool.types.coordinator import CoordinatorSpec

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Objects:
    """What the cluster holds."""

    all: tuple[Object, ...]

    def of(self, kind: str) -> tuple[Object, ...]:
        return tuple(obj for obj in self.all if obj["kind"] == kind)

    def named(self, kind: str, name: str) -> Object | None:
        return next((obj for obj in self.of(kind) if obj["metadata"]["name"] == name), None)


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.stem for path in directory.glob("*.json"))


def judge(directory: Path, case: str) -> Judgement:
    """Upstream's status against ours for the same objects."""
    recorded = json.loads((directory / f"{case}.json").read_text())
    spec = decode(CoordinatorSpec, recorded["spec"], f"{case}: spec")
    facts = facts_of(recorded)
    theirs = meaning(recorded["result_status"])
    ours = meaning(encode(discover(spec, facts)))
    found = tuple(_differences(theirs, ours))
    return Judgement(case, explained(found, RULES, Recorded(spec, facts)))


def _differences(theirs: Object, ours: Object) -> Iterable[Leaf]:
    """Statuses of different phases differ as a whole."""
    if theirs["phase"] != ours["phase"]:
        return [Leaf("status", theirs, ours)]
    return leaves(theirs, ours)


def facts_of(recorded: Object) -> ClusterFacts:
    """The recorded objects, sorted into what they tell."""
    objects = Objects(tuple(recorded["objects"]))
    return ClusterFacts(
        kubeadm_config=objects.named("ConfigMap", "kubeadm-config"),
        controller_managers=objects.of("Pod"),
        calico_pools=objects.of("IPPool") or None,
        cilium_config=objects.named("ConfigMap", "cilium-config"),
        cilium_pools=objects.of("CiliumPodIPPool") or None,
        service_cidrs=objects.of("ServiceCIDR") or None,
        default_cni=_default_cni(recorded["cni_conf"]),
    )


def _default_cni(file: list[str] | None) -> tuple[str, ...] | None:
    if file is None:
        return None
    config = json.loads(file[1])
    return (config["name"], *_types(config))


def _types(config: Object) -> Iterator[str]:
    """Of a list of plugins, or of the one that a ``.conf`` file is."""
    yield from (plugin["type"] for plugin in config.get("plugins", [config]))


def meaning(status: Object) -> Object:
    """Phase and CIDRs. The words of a reason are ours; CIDRs count while it is Synced only."""
    phase = status.get("phase")
    if phase != "Synced":
        return {"phase": phase, "reason": bool(status.get("reason"))}
    return {
        "phase": phase,
        "overlayPodCIDR": status.get("overlayPodCIDR") or [],
        "serviceCIDR": status.get("serviceCIDR") or [],
    }
