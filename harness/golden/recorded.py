"""A recorded case of the coordinator: calls of upstream's binary, and the states around them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.golden.ipjson import read_state
from spiderpool.errors import BadInput
from spiderpool.netlink.objects import NetState
from spiderpool.types.names import ContainerID, IfName

_ADD = re.compile(r"(\d+)-(.+)-coordinator\.stdin\.json")
_VETH = IfName("veth0")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """Both namespaces at one time."""

    pod: NetState
    node: NetState


@dataclass(frozen=True, slots=True)
class Add:
    """One ADD: its input, and what upstream answered and left.

    ``environment`` are the ``CNI_*`` variables of the call.
    """

    nic: IfName
    container: ContainerID
    environment: dict[str, str]
    netconf: Object
    before: Pair
    after: Pair
    status: int
    answer: Object


@dataclass(frozen=True, slots=True)
class Case:
    """``removals`` are the states after each DEL, in the order of the DELs; ``configuration``
    is what upstream's agent answered to the plugin."""

    name: str
    nics: tuple[IfName, ...]
    attached: tuple[IfName, ...]
    annotations: dict[str, str]
    coordinator: Object
    configuration: Object
    adds: tuple[Add, ...]
    removals: tuple[tuple[IfName, Pair], ...]


def is_case(folder: Path) -> bool:
    """Whether the folder is shaped like a recorded case."""
    return (folder / "case.json").is_file()


def read_case(folder: Path) -> Case:
    """A case; the pod's NICs are detached in reverse order.

    Raises:
        BadInput: naming the file that is missing or cannot be read.
    """
    try:
        described = _object(folder / "case.json")
        answered = _object(folder / "agent-coordinator-config.json")
        attached = tuple(map(IfName, described["coord_nics"]))
        return Case(
            name=folder.name,
            nics=tuple(map(IfName, described["nics"])),
            attached=attached,
            annotations=described.get("anno", {}),
            coordinator=_coordinator(answered, described["coordinator_spec"]),
            configuration=answered,
            adds=tuple(_add(folder, nic, position) for position, nic in _calls(folder)),
            removals=tuple(
                (nic, _pair(folder / f"del-{nic}-after"))
                for nic in reversed(attached)
                if (folder / f"del-{nic}-after").is_dir()
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as exc:
        reason = f"cannot be read: {type(exc).__name__}: {exc}"
        raise BadInput(str(folder), reason, "give a folder shaped like golden/coordinator") from exc


def _calls(folder: Path) -> list[tuple[int, IfName]]:
    found = (_ADD.fullmatch(path.name) for path in folder.iterdir())
    return sorted((int(match[1]), IfName(match[2])) for match in found if match)


def _add(folder: Path, nic: IfName, position: int) -> Add:
    stem = f"{position}-{nic}"
    environment = (folder / f"{stem}-coordinator.env").read_text().splitlines()
    env = dict(line.split("=", 1) for line in environment if "=" in line)
    return Add(
        nic=nic,
        container=ContainerID(env["CNI_CONTAINERID"]),
        environment={key: value for key, value in env.items() if key.startswith("CNI_")},
        netconf=_object(folder / f"{stem}-coordinator.stdin.json"),
        before=_pair(folder / f"{stem}-before"),
        after=_pair(folder / f"{stem}-after"),
        status=int((folder / f"{stem}-coordinator.rc").read_text()),
        answer=_object(folder / f"{stem}-coordinator.stdout.json"),
    )


def _pair(folder: Path) -> Pair:
    pod, node = (read_state(folder / f"{name}.json") for name in ("pod", "node"))
    normal = folder / "pod.norm.txt"
    marked = normal.is_file() and "CONNMARK --restore-mark" in normal.read_text()
    return Pair(replace(pod, reply_marks=(_VETH,) if marked else ()), node)


def _object(path: Path) -> Object:
    value = json.loads(path.read_text())
    if not isinstance(value, dict):
        raise TypeError(f"{path.name} is no JSON object")
    return value


def _coordinator(answered: Object, spec: Object) -> Object:
    """The SpiderCoordinator that the agent answered from."""
    status = {
        "phase": "Synced",
        "overlayPodCIDR": answered.get("overlayPodCIDR") or [],
        "serviceCIDR": answered.get("serviceCIDR") or [],
    }
    return {"metadata": {"name": "default"}, "spec": spec, "status": status}
