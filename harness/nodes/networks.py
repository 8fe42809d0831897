"""The annotations by which a pod asks Multus for NICs, and by which Multus answers. Pure.

Kubernetes Network Plumbing WG, "De-facto Standard" v1.3, sections 4.1 and 5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spiderpool.cni.result import CniResult
from spiderpool.errors import BadInput
from spiderpool.types.address import address_of
from spiderpool.types.names import IfName

NETWORKS = "k8s.v1.cni.cncf.io/networks"
DEFAULT = "v1.multus-cni.io/default-network"
STATUS = "k8s.v1.cni.cncf.io/network-status"

_ITEM = re.compile(r"(?:([a-z0-9][a-z0-9.-]*)/)?([a-z0-9][a-z0-9.-]*)(?:@([A-Za-z0-9._-]{1,15}))?")
_KNOWN_KEYS = ("name", "namespace", "interface")
_REMEDY = "write it like macvlan-ens192, namespace/name or namespace/name@net1"


@dataclass(frozen=True, slots=True)
class Selection:
    """One NIC that a pod asks for: a NetworkAttachmentDefinition and the NIC's name."""

    namespace: str
    name: str
    nic: IfName

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Connected:
    """A NIC that a pod has: the network's name as Multus reports it, and the CNI result."""

    network: str
    nic: IfName
    result: CniResult
    default: bool = False


def selections(text: str, pod: str, namespace: str) -> tuple[Selection, ...]:
    """What the annotation asks for, in its order; a NIC without a name is ``net<position>``.

    Raises:
        BadInput: naming the pod and the item.
    """
    where = f"Pod {pod}: annotation {NETWORKS}"
    found = []
    for position, item in enumerate(_items(text, where), 1):
        at = f"{where}[{position - 1}]"
        wanted = _from_text(item, at) if isinstance(item, str) else _from_object(item, at)
        place, name, nic = wanted
        found.append(Selection(place or namespace, name, IfName(nic or f"net{position}")))
    names = [selection.nic for selection in found]
    if len(set(names)) < len(names):
        raise BadInput(where, f"two networks ask for one NIC: {', '.join(names)}", _REMEDY)
    return tuple(found)


def default_selection(text: str, pod: str) -> Selection:
    """The network that makes ``eth0`` instead of the cluster's own.

    Without a namespace it is looked for where Multus itself lives, in ``kube-system``.

    Raises:
        BadInput: naming the pod.
    """
    namespace, name, nic = _from_text(text.strip(), f"Pod {pod}: annotation {DEFAULT}")
    return Selection(namespace or "kube-system", name, IfName(nic or "eth0"))


def _items(text: str, where: str) -> Sequence[Any]:
    if not text.lstrip().startswith("["):
        return [piece.strip() for piece in text.split(",") if piece.strip()]
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadInput(where, f"is no JSON: {error}", _REMEDY) from None
    if not isinstance(value, list):
        raise BadInput(where, "is no list", _REMEDY)
    return value


def _from_text(item: str, where: str) -> tuple[str, str, str]:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise BadInput(where, f"{item!r} names no network", _REMEDY)
    return match[1] or "", match[2], match[3] or ""


def _from_object(item: Any, where: str) -> tuple[str, str, str]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise BadInput(where, "has no name", 'write it like {"name": "macvlan-ens192"}')
    if unknown := sorted(item.keys() - set(_KNOWN_KEYS)):
        raise BadInput(where, f"{unknown[0]!r} is not emulated", f"use {', '.join(_KNOWN_KEYS)}")
    parts = (str(item.get("namespace") or ""), item["name"], str(item.get("interface") or ""))
    text = (f"{parts[0]}/" if parts[0] else "") + parts[1] + (f"@{parts[2]}" if parts[2] else "")
    return _from_text(text, where)


def status_text(connected: Sequence[Connected]) -> str:
    """The network-status annotation, indented as Multus writes it."""
    return json.dumps([_status(item) for item in connected], indent=4)


def _status(item: Connected) -> dict[str, Any]:
    own = [link for link in item.result.interfaces if link.sandbox and link.name == item.nic]
    status: dict[str, Any] = {
        "name": item.network,
        "interface": item.nic,
        "ips": [str(address_of(ip.address)) for ip in item.result.ips],
    }
    if own:
        status["mac"] = own[-1].mac
    if item.default:
        status["default"] = True
    status["dns"] = {}
    return status
