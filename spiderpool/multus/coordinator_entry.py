"""The coordinator's entry in a chain: what the network says, over what the cluster says."""

from __future__ import annotations

from typing import Any

from spiderpool.types.address import host_prefix
from spiderpool.types.codec import encode
from spiderpool.types.coordinator import CoordinatorSettings, CoordinatorSpec

_SHOWN_WHEN_INHERITED = (
    "mode",
    "tunePodRoutes",
    "hostRuleTable",
    "txQueueLen",
    "detectGateway",
    "detectIPConflict",
)
"""Members that are written out even when they are the cluster's, so that a reader of the
NetworkAttachmentDefinition sees what will be done. All others are left to the agent, which
fills what is absent from the SpiderCoordinator at each ADD: podDefaultRouteNIC must be,
since an entry of the chain wins over a pod's annotation and the cluster's default must not.
"""

_CLUSTER_ONLY = ("podCIDRType", "hostRPFilter", "tuneMode")
_PLUGIN_KEYS = {"podDefaultRouteNIC": "podDefaultRouteNic"}


def coordinator_entry(
    settings: CoordinatorSettings | None, cluster: CoordinatorSpec | None
) -> dict[str, Any]:
    """The plugin's configuration; with ``cluster`` None, only what the network itself says."""
    inherited: dict[str, Any] = encode(cluster) if cluster is not None else {}
    said: dict[str, Any] = encode(settings) if settings is not None else {}
    shown = {key: inherited[key] for key in _SHOWN_WHEN_INHERITED if key in inherited}
    members = shown | {key: value for key, value in said.items() if key not in _CLUSTER_ONLY}
    if "hijackCIDR" in members:
        members["hijackCIDR"] = [_network(item) for item in members["hijackCIDR"]]
    if "policyRoutes" in members:
        routes = members["policyRoutes"]
        members["policyRoutes"] = [route | {"dst": _network(route["dst"])} for route in routes]
    renamed = {_PLUGIN_KEYS.get(key, key): members[key] for key in members}
    return {"type": "coordinator"} | renamed


def _network(text: str) -> str:
    """A lone address is the network of that address only."""
    return text if "/" in text else host_prefix(text)
