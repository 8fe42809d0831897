"""What kubelet writes into the API about its node and its pods. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from harness.topology.model import Machine
from spiderpool.kube.api import Object
from spiderpool.types.address import address_of

_ENDS = (("true", 0), ("false", 1))
"""Commands of containers that end, and their exit codes."""


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


def exit_codes(pod: Object) -> tuple[int, ...] | None:
    """Of the containers of a pod that ends by itself; None for one that runs until it is deleted.

    Nothing is executed: a container ends if its command is ``true`` or ``false``, and all others
    run. Pods that are restarted after such an end are taken to run.
    """
    policy = pod["spec"].get("restartPolicy", "Always")
    commands = [container.get("command") for container in pod["spec"].get("containers") or ()]
    codes = [
        next((code for word, code in _ENDS if command == [word]), None) for command in commands
    ]
    ended = tuple(code for code in codes if code is not None)
    if len(ended) < len(codes) or policy == "Always" or (policy == "OnFailure" and any(ended)):
        return None
    return ended


def ended_status(running: dict[str, Any], codes: Iterable[int], now: str) -> dict[str, Any]:
    """What becomes of the status of a pod that ran, once its sandbox is gone."""
    ends = [
        {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": now}
        for code in codes
    ]
    return running | {
        "phase": "Failed" if any(end["exitCode"] for end in ends) else "Succeeded",
        "conditions": [
            _condition(each["type"], False, "PodCompleted", now)
            if each["type"] in ("Ready", "ContainersReady")
            else each
            for each in running["conditions"]
        ],
        "containerStatuses": [
            container
            | {
                "ready": False,
                "started": False,
                "state": {"terminated": end | container["state"]["running"]},
            }
            for container, end in zip(running["containerStatuses"], ends, strict=True)
        ],
    }


def _condition(kind: str, holds: bool, reason: str, now: str) -> dict[str, Any]:
    condition = {"type": kind, "status": str(holds), "lastTransitionTime": now}
    return condition | ({"reason": reason} if reason else {})
