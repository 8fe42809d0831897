"""SpiderEndpoint objects: what users see of a pod's addresses. The blocks are the truth."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from spiderpool.errors import BadInput
from spiderpool.ipam.facts import Controller, Pod
from spiderpool.ipam.ledger import Ledger
from spiderpool.types.codec import decode, encode
from spiderpool.types.endpoint import (
    EndpointCurrent,
    EndpointIP,
    EndpointStatus,
    SpiderEndpoint,
)
from spiderpool.types.ipblock import SlotState
from spiderpool.types.names import PodUID

Object = dict[str, Any]

TEMPLATE_HASH = "pod-template-hash"


def new_endpoint(pod: Pod, ips: Iterable[EndpointIP], *, outlives_pod: bool = False) -> Object:
    """The endpoint of a pod; the API server collects it with the pod, unless it outlives it."""
    metadata: Object = {"name": pod.name, "namespace": pod.namespace}
    if not outlives_pod:
        metadata["ownerReferences"] = [
            {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
        ]
    top = top_controller(pod)
    status = EndpointStatus(
        current=EndpointCurrent(uid=pod.uid, node=pod.node, ips=tuple(ips)),
        owner_controller_type=top.kind,
        owner_controller_name=top.name,
    )
    return {
        "apiVersion": SpiderEndpoint.KIND.api_version,
        "kind": SpiderEndpoint.KIND.kind,
        "metadata": metadata,
        "status": encode(status),
    }


def with_nic(known: tuple[EndpointIP, ...], item: EndpointIP) -> tuple[EndpointIP, ...]:
    """The items with ``item`` in the place of its NIC's old one, or behind the others."""
    replaced = tuple(item if old.interface == item.interface else old for old in known)
    return replaced if item in replaced else (*replaced, item)


def ips_of(obj: Mapping[str, Any], pod: Pod) -> tuple[EndpointIP, ...]:
    """What an endpoint says of this very pod; nothing when it is another pod's or unreadable."""
    try:
        status = decode(EndpointStatus, obj.get("status"), SpiderEndpoint.KIND.where(obj))
    except BadInput:
        return ()
    current = status.current
    return current.ips if current is not None and current.uid == pod.uid else ()


def top_controller(pod: Pod) -> Controller:
    """The workload that users know: a Deployment rather than its ReplicaSet, whose name is
    the Deployment's, a dash and the pod's ``pod-template-hash`` (Kubernetes "Deployments")."""
    owner, suffix = pod.controller, f"-{pod.labels.get(TEMPLATE_HASH, '')}"
    if owner.kind == "ReplicaSet" and len(suffix) > 1 and owner.name.endswith(suffix):
        return Controller("Deployment", owner.name.removesuffix(suffix), owner.api_version)
    return owner


def uid_of(obj: Mapping[str, Any]) -> PodUID:
    """The pod that an endpoint speaks of."""
    current = (obj.get("status") or {}).get("current") or {}
    return PodUID(current.get("uid", ""))


def is_outdated(obj: Mapping[str, Any], alive: Container[str], ledger: Ledger) -> bool:
    """Whether an endpoint is of a pod that is not ``alive`` and holds nothing any more."""
    uid = uid_of(obj)
    held = any(entry.slot.state is SlotState.HELD for entry in ledger.of_pod(uid))
    return uid not in alive and not held
