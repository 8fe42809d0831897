"""Which NetworkAttachmentDefinition stands behind a NIC, by the pod's own annotations.

Multus names NICs net1, net2, ... in the order of ``k8s.v1.cni.cncf.io/networks`` unless an
item names its own (Kubernetes Network Plumbing WG, "De-facto Standard", section 4.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from spiderpool.ipam.facts import Pod
from spiderpool.types.names import IfName

NETWORKS = "k8s.v1.cni.cncf.io/networks"
DEFAULT_NETWORK = "v1.multus-cni.io/default-network"
PRIMARY_NIC = "eth0"

_ITEM = re.compile(r"^(?:([a-z0-9.-]+)/)?([a-z0-9.-]+)(?:@([^@/\s]{1,15}))?$")


def attachment_of(pod: Pod, nic: IfName, cluster_network: str = "") -> str | None:
    """``namespace/name`` of the definition behind ``nic``; None when the pod does not say.

    ``cluster_network`` is Multus' own default for eth0 (``clusterNetwork``).
    """
    if nic == PRIMARY_NIC:
        default = pod.annotations.get(DEFAULT_NETWORK) or cluster_network
        return next((name for name, _ in _items(default, pod.namespace)), None)
    networks = _items(pod.annotations.get(NETWORKS, ""), pod.namespace)
    for position, (name, interface) in enumerate(networks, 1):
        if nic == (interface or f"net{position}"):
            return name
    return None


def _items(text: str, namespace: str) -> Iterator[tuple[str, str]]:
    """(definition, NIC or empty) of each item; what cannot be read is Multus' to refuse."""
    if text.lstrip().startswith("["):
        yield from _json_items(text, namespace)
        return
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = _ITEM.match(part)
        yield (f"{found[1] or namespace}/{found[2]}", found[3] or "") if found else ("", "")


def _json_items(text: str, namespace: str) -> Iterator[tuple[str, str]]:
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            where = item.get("namespace") or namespace
            yield f"{where}/{item['name']}", str(item.get("interface") or "")
        else:
            yield "", ""


def position_of(pod: Pod, nic: IfName, others: Iterable[IfName]) -> int:
    """How many of ``others``, the NICs that have addresses already, come before ``nic``.

    eth0 is first, then the order of the pod's networks annotation.
    """
    networks = _items(pod.annotations.get(NETWORKS, ""), pod.namespace)
    order = [PRIMARY_NIC, *(name or f"net{at}" for at, (_, name) in enumerate(networks, 1))]
    ranks = {IfName(name): rank for rank, name in enumerate(order)}

    def rank(name: IfName) -> tuple[int, str]:
        return ranks.get(name, len(order)), name

    return sum(rank(other) < rank(nic) for other in set(others))


def nics_of(pod: Pod) -> tuple[IfName, ...] | None:
    """The NICs that the pod is going to have, in order; None when its annotation is unclear."""
    items = list(_items(text := pod.annotations.get(NETWORKS, ""), pod.namespace))
    if (text.strip() and not items) or any(not name for name, _ in items):
        return None
    named = (IfName(name or f"net{at}") for at, (_, name) in enumerate(items, 1))
    return (IfName(PRIMARY_NIC), *named)
