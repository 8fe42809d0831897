"""What kubelet writes into the API about its node and its pods. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from harness.topology.model import Machine
from spiderpool.kube.api import Object
from spiderpool.types.address import address_of


def timestamp() -> str:
    """Now, as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_object(machine: Machine) -> Object:
    """The Node of a machine, without status."""
    labels = {"kubernetes.io/hostname": machine.name, "kubernetes.io/os": "linux"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": machine.name, "labels": labels},
        "spec": {"podCIDRs": list(machine.blocks)},
    }


def node_status(machine: Machine, now: str) -> dict[str, Any]:
    """Ready, with the addresses of the node's first NIC as InternalIPs."""
    addresses = [
        {"type": "InternalIP", "address": str(address_of(entry))}
        for entry in machine.nics[0].addresses
    ]
    return {
        "addresses": [*addresses, {"type": "Hostname", "address": machine.name}],
        "conditions": [_condition("Ready", True, "KubeletReady", now)],
        "nodeInfo": {"kubeletVersion": "v1.35.2", "operatingSystem": "linux"},
    }


def running_status(pod: Object, host: str, addresses: Iterable[str], now: str) -> dict[str, Any]:
    """A pod whose sandbox is connected: every container runs and is ready."""
    found = list(addresses)
    kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    return {
        "phase": "Running",
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": found[0] if found else host,
        "podIPs": [{"ip": address} for address in found or [host]],
        "startTime": now,
        "conditions": [_condition(kind, True, "", now) for kind in kinds],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container.get("image", ""),
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": now}},
            }
            for container in pod["spec"].get("containers") or ()
        ],
    }


def _condition(kind: str, holds: bool, reason: str, now: str) -> dict[str, Any]:
    condition = {"type": kind, "status": str(holds), "lastTransitionTime": now}
    return condition | ({"reason": reason} if reason else {})
