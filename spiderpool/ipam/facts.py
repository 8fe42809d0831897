"""What IPAM needs to know of pods, namespaces and nodes, out of their API objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spiderpool.errors import BadInput
from spiderpool.types.address import Address, parse_address
from spiderpool.types.names import NodeName, PodUID

Object = Mapping[str, Any]


MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True, slots=True)
class Controller:
    """The workload that made a pod; a pod without one is its own: kind ``Pod``."""

    kind: str
    name: str
    api_version: str = "v1"
    uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The part of a Pod that decides about its addresses."""

    uid: PodUID
    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    node: NodeName
    controller: Controller
    phase: str = ""
    reason: str = ""
    restart_policy: str = "Always"
    deleted_at: str = ""
    addresses: tuple[str, ...] = ()
    host_network: bool = False

    @property
    def is_mirror(self) -> bool:
        """Whether it stands for a file on its node: deleting it ends nothing there
        (Kubernetes "Create static Pods")."""
        return MIRROR in self.annotations

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def read_pod(obj: Object) -> Pod:
    """A Pod's facts from its API object."""
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    name = metadata["name"]
    owners = metadata.get("ownerReferences") or ()
    owner = next((o for o in owners if o.get("controller")), None)
    return Pod(
        uid=PodUID(metadata.get("uid", "")),
        namespace=metadata.get("namespace", "default"),
        name=name,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        node=NodeName(spec.get("nodeName", "")),
        controller=controller_of(owner) if owner else Controller("Pod", name),
        phase=status.get("phase", ""),
        reason=status.get("reason", ""),
        restart_policy=spec.get("restartPolicy", "Always"),
        deleted_at=metadata.get("deletionTimestamp") or "",
        addresses=tuple(item["ip"] for item in status.get("podIPs") or () if item.get("ip")),
        host_network=bool(spec.get("hostNetwork")),
    )


def controller_of(owner: Object) -> Controller:
    """The controller that an owner reference names."""
    return Controller(owner["kind"], owner["name"], owner.get("apiVersion", ""), owner["uid"])


def why_dead(pod: Pod) -> str:
    """Why a pod must not get addresses any more, or empty when it may.

    Finished means that kubelet starts no container again (Kubernetes "Pod Lifecycle").
    """
    if pod.deleted_at:
        return f"it is being deleted since {pod.deleted_at}"
    if pod.phase == "Succeeded" and pod.restart_policy != "Always":
        return "it has succeeded"
    if pod.phase == "Failed" and (pod.restart_policy == "Never" or pod.reason == "Evicted"):
        return "it was evicted" if pod.reason == "Evicted" else "it has failed"
    return ""


def node_addresses(nodes: Iterable[Object]) -> frozenset[Address]:
    """Every address of the cluster's nodes (``status.addresses``); names are left out."""
    found: set[Address] = set()
    for node in nodes:
        for item in (node.get("status") or {}).get("addresses") or ():
            if item.get("type") in ("InternalIP", "ExternalIP"):
                try:
                    found.add(parse_address(item.get("address", ""), "Node"))
                except BadInput:
                    continue
    return frozenset(found)
