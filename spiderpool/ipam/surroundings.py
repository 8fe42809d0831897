"""The cluster as whoever gives addresses back sees it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spiderpool.ipam.facts import Pod, read_pod, why_dead
from spiderpool.ipam.sticky import MACHINE, STATEFULSET
from spiderpool.types.names import NodeName, PodUID

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """``fenced``: taken out of service by hand, so that nothing of it runs any more
    (Kubernetes "Non-graceful node shutdown")."""

    name: NodeName
    fenced: bool = False


@dataclass(frozen=True, slots=True)
class Keeper:
    """A StatefulSet's valid ordinals; of other kinds existence is all that counts."""

    ordinals: range = range(0)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The cluster as the collector sees it, read after the addresses.

    ``keepers`` are by (namespace, ``Kind/name``); of a kind that is not in ``kinds``
    nothing is known, so whatever it keeps is kept.
    """

    pods: Mapping[PodUID, Pod] = field(default_factory=dict)
    nodes: Mapping[NodeName, Node] = field(default_factory=dict)
    keepers: Mapping[tuple[str, str], Keeper] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    now: float

    @functools.cached_property
    def mirrored(self) -> frozenset[str]:
        """``namespace/name`` of static pods."""
        return frozenset(p.key for p in self.pods.values() if p.is_mirror and not why_dead(p))

    @functools.cached_property
    def running(self) -> frozenset[str]:
        """``namespace/name`` of pods whose NICs are all set up."""
        pods = self.pods.values()
        return frozenset(p.key for p in pods if p.phase == "Running" and not why_dead(p))


def surroundings(
    *,
    pods: Iterable[Object],
    nodes: Iterable[Object],
    statefulsets: Iterable[Object],
    machines: Iterable[Object] | None,
    now: float,
) -> Surroundings:
    """From API objects; ``machines`` are VirtualMachines and VirtualMachineInstances, or None
    where they cannot be known."""
    keepers = {keeper_key(obj, STATEFULSET): read_statefulset(obj) for obj in statefulsets}
    keepers |= {keeper_key(obj, MACHINE): Keeper() for obj in machines or ()}
    return Surroundings(
        pods={pod.uid: pod for pod in map(read_pod, pods)},
        nodes={node.name: node for node in map(read_node, nodes)},
        keepers=keepers,
        kinds=frozenset({STATEFULSET} if machines is None else {STATEFULSET, MACHINE}),
        now=now,
    )


def keeper_key(obj: Object, kind: str) -> tuple[str, str]:
    """Where :class:`Surroundings` has what such an object keeps."""
    return obj["metadata"]["namespace"], f"{kind}/{obj['metadata']['name']}"


def read_node(obj: Mapping[str, Any]) -> Node:
    """A Node's state from its API object."""
    taints = (obj.get("spec") or {}).get("taints") or ()
    fenced = any(taint.get("key") == "node.kubernetes.io/out-of-service" for taint in taints)
    return Node(NodeName(obj["metadata"]["name"]), fenced)


def read_statefulset(obj: Mapping[str, Any]) -> Keeper:
    """The ordinals that a StatefulSet wants (``spec.replicas``, ``spec.ordinals.start``);
    none once it is being deleted."""
    if obj["metadata"].get("deletionTimestamp"):
        return Keeper()
    spec = obj.get("spec") or {}
    start = (spec.get("ordinals") or {}).get("start") or 0
    replicas = spec.get("replicas")
    return Keeper(range(start, start + (1 if replicas is None else replicas)))
