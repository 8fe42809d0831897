"""Recorded NetworkAttachmentDefinitions: ours must mean the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.golden.compare import Comparison, differences
from spiderpool.multus.attachment import attachment
from spiderpool.multus.coordinator_entry import coordinator_entry
from spiderpool.multus.old_names import read_network
from spiderpool.types.codec import decode
from spiderpool.types.coordinator import CoordinatorSpec

CLUSTER = decode(CoordinatorSpec, {"podCIDRType": "auto"}, "recorded cluster")
"""The SpiderCoordinator while the cases were recorded: all defaults."""

EXPLAINED = {
    "macvlan-coord-full": "a network's own hostRuleTable takes effect; upstream never renders it",
}

_PLUGIN_DEFAULTS = {"mtu": 0, "bond": None, "vlanID": 0}
_COORDINATOR_DEFAULTS = coordinator_entry(None, CLUSTER) | {"podRPFilter": 0}


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.name.removesuffix(".in.json") for path in directory.glob("*.in.json"))


def compare(directory: Path, case: str) -> Comparison:
    """Upstream's NetworkAttachmentDefinition against ours, both with defaults filled in."""
    network, _ = read_network(json.loads((directory / f"{case}.in.json").read_text()))
    theirs = meaning(json.loads((directory / f"{case}.nad.json").read_text()))
    ours = meaning(attachment(network, CLUSTER))
    return Comparison(case, tuple(differences(theirs, ours)), EXPLAINED.get(case, ""))


def meaning(nad: dict[str, Any]) -> dict[str, Any]:
    """What a NetworkAttachmentDefinition says, without what differs from run to run."""
    metadata = nad["metadata"]
    owners = [
        {key: value for key, value in owner.items() if key != "uid"}
        for owner in metadata["ownerReferences"]
    ]
    text = (nad.get("spec") or {}).get("config")
    config = json.loads(text) if text else None
    return {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "annotations": metadata.get("annotations") or {},
        "owners": owners,
        "config": _config(config) if config else None,
    }


def _config(config: dict[str, Any]) -> dict[str, Any]:
    return config | {"plugins": [_plugin(plugin) for plugin in config["plugins"]]}


def _plugin(plugin: dict[str, Any]) -> dict[str, Any]:
    if plugin["type"] == "coordinator":
        return _COORDINATOR_DEFAULTS | plugin
    return _PLUGIN_DEFAULTS | plugin
