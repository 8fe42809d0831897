"""Recorded NetworkAttachmentDefinitions: ours must mean the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.golden.compare import Judgement, Leaf, Rules, explained, leaves
from spiderpool.multus.attachment import attachment
from spiderpool.multus.coordinator_entry import coordinator_entry
from spiderpool.multus.old_names import read_network
from spiderpool.types.address import host_prefix
from spiderpool.types.codec import decode
from spiderpool.types.coordinator import CoordinatorSpec

CLUSTER = decode(CoordinatorSpec, {"podCIDRType": "auto"}, "recorded cluster")
"""The SpiderCoordinator while the cases were recorded: all defaults."""

_PLUGIN_DEFAULTS = {"mtu": 0, "bond": None, "vlanID": 0}
_COORDINATOR_DEFAULTS = coordinator_entry(None, CLUSTER) | {"podRPFilter": 0}

Fields = Mapping[str, Any]


def cases(directory: Path) -> list[str]:
    """Names of the cases that lie in a directory."""
    return sorted(path.name.removesuffix(".in.json") for path in directory.glob("*.in.json"))


def judge(directory: Path, case: str) -> Judgement:
    """Upstream's NetworkAttachmentDefinition against ours, both with defaults filled in."""
    written = json.loads((directory / f"{case}.in.json").read_text())
    network, _ = read_network(written)
    theirs = meaning(json.loads((directory / f"{case}.nad.json").read_text()))
    ours = meaning(attachment(network, CLUSTER))
    return Judgement(case, explained(leaves(theirs, ours), RULES, written["spec"]))


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


def settings(asked: Fields) -> Fields:
    """``spec.coordinator`` as it was written."""
    return asked.get("coordinator") or {}


def _asked_for(field: str) -> Callable[[Leaf, Fields], bool]:
    """Theirs leaves the field out; ours has what the network's ``spec.coordinator`` says."""

    def holds(leaf: Leaf, asked: Fields) -> bool:
        left_out = leaf.theirs == _COORDINATOR_DEFAULTS.get(field)
        return _is_of(leaf, field) and left_out and leaf.ours == settings(asked).get(field)

    return holds


def _bare_address(leaf: Leaf, asked: Fields) -> bool:
    """Theirs hands on an address where a network is due; ours makes the network of it."""
    written = settings(asked).get("hijackCIDR") or ()
    if not _is_of(leaf, r"hijackCIDR\[\d+\]") or leaf.theirs not in written:
        return False
    return "/" not in leaf.theirs and leaf.ours == host_prefix(leaf.theirs)


def _detection(leaf: Leaf, asked: Fields) -> bool:
    """Fields that theirs drops."""
    fields = ("detectGateway", "detectIPConflict", "hostRPFilter")
    told = _is_of(leaf, r"ipam\.detect_ip_conflict") and (leaf.theirs, leaf.ours) == (None, True)
    if told and settings(asked).get("detectIPConflict"):
        return True
    return any(_asked_for(field)(leaf, asked) for field in fields)


def _old_names(leaf: Leaf, asked: Fields) -> bool:
    """Theirs drops fields of releases before v0.6; ours reads them."""
    if _is_of(leaf, "mode"):
        defaults = leaf.theirs == _COORDINATOR_DEFAULTS["mode"]
        return bool(defaults and leaf.ours == settings(asked).get("tuneMode"))
    pools = {"default_ipv4_ippool": "IPv4IPPool", "default_ipv6_ippool": "IPv6IPPool"}
    blocks = [block for block in asked.values() if isinstance(block, Mapping)]
    old = [block["spiderpoolConfigPools"] for block in blocks if "spiderpoolConfigPools" in block]
    return leaf.theirs is None and any(
        _is_of(leaf, rf"ipam\.{field}") and leaf.ours == pool.get(name)
        for pool in old
        for field, name in pools.items()
    )


def _is_of(leaf: Leaf, field: str) -> bool:
    return re.fullmatch(rf"config\.plugins\[\d+\]\.{field}", leaf.path) is not None


RULES: Rules[Fields] = {
    "hostruletable-of-a-network": _asked_for("hostRuleTable"),
    "podrpfilter-of-a-network": _asked_for("podRPFilter"),
    "bare-address-is-a-network": _bare_address,
    "detection-and-hostrpfilter": _detection,
    "old-names-are-read": _old_names,
}
