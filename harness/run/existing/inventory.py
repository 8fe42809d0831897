"""The file that says where the machines of an existing cluster are on this machine.

::

    {"kubeconfig": "/etc/kubernetes/admin.conf",
     "nodes": {"worker01": {"netns": "/proc/1/ns/net", "cniResults": "/var/lib/cni/results"}},
     "places": {"router": "/run/netns/router", "underlay": "/run/netns/underlay"}}

``nodes`` are by their names in the API. ``places`` are the other machines of a topology, and
the switch between them where there is one; ``kubeconfig`` may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.scenario.document import Item, read, required

T = TypeVar("T")

_MACHINE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """``netns`` is a path of the node's network namespace; ``cni_results`` is the folder in
    which its container runtime keeps the results of CNI plugins (libcni's cache)."""

    netns: Path
    cni_results: Path


@dataclass(frozen=True, slots=True)
class Inventory:
    """``places`` are paths of network namespaces. No name is in both."""

    file: Path
    kubeconfig: Path | None
    nodes: Mapping[str, NodeEntry]
    places: Mapping[str, Path]


def read_inventory(file: Path) -> Inventory:
    """The inventory in a JSON file.

    Raises:
        BadInput: naming file and line.
    """
    item = read(file)
    entries = item.mapping("kubeconfig", "nodes", "places")
    nodes = _by_name(required(entries, "nodes", item), _node)
    if not nodes:
        raise entries["nodes"].fail("there is no node", "name those whose pods are to be seen")
    places = _by_name(entries["places"], _path) if "places" in entries else {}
    if twice := sorted(nodes.keys() & places.keys()):
        raise entries["places"].fail(f"{twice[0]} is a node already", "keep one of the two")
    kubeconfig = _path(entries["kubeconfig"]) if "kubeconfig" in entries else None
    return Inventory(file, kubeconfig, nodes, places)


def _by_name(item: Item, read_one: Callable[[Item], T]) -> dict[str, T]:
    found = {}
    for name, entry in item.mapping().items():
        if not _MACHINE.match(name):
            raise entry.fail(f"{name!r} cannot name a machine", "use a-z, 0-9, dots and dashes")
        found[name] = read_one(entry)
    return found


def _node(item: Item) -> NodeEntry:
    entries = item.mapping("netns", "cniResults")
    netns = _path(required(entries, "netns", item))
    return NodeEntry(netns, _path(required(entries, "cniResults", item)))


def _path(item: Item) -> Path:
    path = Path(item.text())
    if not path.is_absolute():
        raise item.fail(f"{item.text()!r} is no absolute path", "write it from / on")
    return path
