"""Networks that pods get by an annotation instead of naming them (resource injection)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from spiderpool.controller.admission.findings import Findings, Object, Reason
from spiderpool.errors import BadInput
from spiderpool.ipam.attachments import NETWORKS
from spiderpool.multus.attachment import attachment_name
from spiderpool.multus.old_names import read_network
from spiderpool.types.json_text import read_json
from spiderpool.types.modes import CniType
from spiderpool.types.multusconfig import BLOCKS, SpiderMultusConfig

RDMA_INJECT = "cni.spidernet.io/rdma-resource-inject"
NETWORK_INJECT = "cni.spidernet.io/network-resource-inject"
INJECTS = (RDMA_INJECT, NETWORK_INJECT)


def resource_of(smc: SpiderMultusConfig) -> str:
    """The resource that a pod of this network takes one of; empty without one."""
    block = smc.spec.block
    resource = getattr(block, "resource_name", "") or getattr(block, "rdma_resource_name", "")
    return str(resource)


def check_injection(smc: SpiderMultusConfig, found: Findings) -> None:
    """A network to be injected must have what an injected pod needs."""
    wanted = [key for key in INJECTS if key in smc.metadata.annotations]
    if not wanted:
        return
    cni_type = smc.spec.cni_type
    if cni_type in (CniType.OVS, CniType.CUSTOM):
        problem = f"cniType {cni_type} does not support {' and '.join(wanted)}"
        found.refuse("spec.cniType", problem, "remove the annotation", Reason.FORBIDDEN)
        return
    block = smc.spec.block
    if block is None:
        return
    path, resource = f"spec.{BLOCKS[cni_type]}", resource_of(smc)
    if RDMA_INJECT in wanted and not resource:
        problem = f"{RDMA_INJECT} needs a resource"
        found.refuse(f"{path}.rdmaResourceName", problem, "name it", Reason.REQUIRED)
    if resource and not (block.ippools.ipv4 or block.ippools.ipv6):
        problem = f"{' and '.join(wanted)} needs at least one pool"
        found.refuse(f"{path}.ippools", problem, "name pools", Reason.REQUIRED)


def inject(pod: Object, networks: Sequence[Object], namespace: Object) -> Object:
    """The pod with the networks that its annotation, or its namespace's, selects.

    A network is selected whose annotation of the same key has the same value. Networks that
    the pod names itself stay, and come first; each resource is asked for as often as there
    are networks of it, unless the pod says how often.

    Raises:
        BadInput: no network has the value.
    """
    chosen = [smc for key in INJECTS for smc in _chosen(key, pod, networks, namespace)]
    if not chosen:
        return pod
    chosen.sort(key=lambda smc: (_device_of(smc), smc.metadata.namespace, smc.metadata.name))
    names = dict.fromkeys(f"{smc.metadata.namespace}/{attachment_name(smc)}" for smc in chosen)
    metadata = pod["metadata"]
    annotations = metadata.get("annotations") or {}
    wanted = _joined(annotations.get(NETWORKS, ""), list(names))
    return pod | {
        "metadata": metadata | {"annotations": annotations | {NETWORKS: wanted}},
        "spec": _with_limits(pod["spec"], Counter(filter(None, map(resource_of, chosen)))),
    }


def _chosen(
    key: str, pod: Object, networks: Sequence[Object], namespace: Object
) -> Iterator[SpiderMultusConfig]:
    value = _annotation(pod, key) or _annotation(namespace, key)
    if not value:
        return
    found = [obj for obj in networks if _annotation(obj, key) == value]
    if not found:
        where = f"metadata.annotations[{key!r}]"
        problem = f"no SpiderMultusConfig has the annotation {key}: {value}"
        raise BadInput(where, problem, "annotate one, or correct the value")
    for obj in found:
        yield read_network(obj)[0]


def _annotation(obj: Object, key: str) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(key) or "")


def _device_of(smc: SpiderMultusConfig) -> str:
    """The node's device or the resource that a network is of, to sort by."""
    block = smc.spec.block
    bond = getattr(block, "bond", None)
    if bond is not None:
        return str(bond.name)
    masters = getattr(block, "master", ())
    return str(masters[0]) if masters else resource_of(smc)


def _joined(before: str, names: list[str]) -> str:
    """The networks annotation with more names: a JSON list, or names with commas."""
    if before.lstrip().startswith("["):
        items = [dict(zip(("namespace", "name"), name.split("/"), strict=True)) for name in names]
        where = f"metadata.annotations[{NETWORKS!r}]"
        return json.dumps([*read_json(before, where, "write names with commas"), *items])
    own = [item.strip() for item in before.split(",") if item.strip()]
    return ",".join(dict.fromkeys([*own, *names]))


def _with_limits(spec: Object, wanted: Counter[str]) -> Object:
    """The first container's limits ask for what the networks need (requests follow limits)."""
    if not spec.get("containers"):
        return spec  # the API server refuses such a pod, in its own words
    first, *rest = spec["containers"]
    resources = first.get("resources") or {}
    limits, requests = (resources.get(key) or {} for key in ("limits", "requests"))
    missing = {
        name: str(count)
        for name, count in wanted.items()
        if name not in limits and name not in requests
    }
    if not missing:
        return spec
    first = first | {"resources": resources | {"limits": limits | missing}}
    return spec | {"containers": [first, *rest]}
