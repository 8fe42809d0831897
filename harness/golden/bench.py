"""The pools that were there while allocations were recorded.

The recording lacks them. Those of the known cluster are told here by the addresses and
reasons that it shows; what another recording has is told by its statuses and answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Any

from spiderpool.types.address import Family, family_of

CLUSTER_NETWORK = "kube-system/macvlan-ens192"

Object = dict[str, Any]


def _pool(ips: str, *, gateway: bool = False, **spec: Any) -> Object:
    via = {"gateway": "10.20.0.1"} if gateway else {}
    return {"subnet": "10.20.0.0/16", "ips": [ips], **via, **spec}


POOLS: Mapping[str, Object] = {
    "v4-a": _pool("10.20.1.10-10.20.1.19", gateway=True),
    "v4-b": _pool("10.20.2.10-10.20.2.19", gateway=True),
    "v4-one": _pool("10.20.3.10"),
    "v4-excl": _pool("10.20.4.10-10.20.4.14", excludeIPs=["10.20.4.10", "10.20.4.12"]),
    "v4-rsv": _pool("10.20.5.10-10.20.5.12"),
    "v4-node": _pool("10.20.6.10", nodeName=["other"]),
    "v4-naff": _pool("10.20.6.20", nodeAffinity={"matchLabels": {"zone": "other"}}),
    "v4-paff": _pool("10.20.7.10-10.20.7.12", podAffinity={"matchLabels": {"app": "x"}}),
    "v4-ns": _pool("10.20.8.10", namespaceName=["other"]),
    "v4-nsaff": _pool("10.20.8.20", namespaceAffinity={"matchLabels": {"team": "other"}}),
    "v4-off": _pool("10.20.9.10", disable=True),
    "v4-multus": _pool("10.20.10.10", multusName=["kube-system/other"]),
    "v4-multusok": _pool("10.20.10.20-10.20.10.22", multusName=[CLUSTER_NETWORK]),
    "v4-routes": _pool(
        "10.20.11.10-10.20.11.12",
        gateway=True,
        routes=[{"dst": "10.30.0.0/16", "gw": "10.20.0.2"}],
    ),
    "v4-nogw": _pool("10.20.12.10-10.20.12.12"),
    "v4-def": _pool("10.20.13.10-10.20.13.19", gateway=True, default=True),
    "v6-a": {"subnet": "fd00:20::/64", "ips": ["fd00:20::10-fd00:20::19"]},
}
RESERVED = ("10.20.5.10", "10.20.5.11")


@dataclass(frozen=True, slots=True)
class Bench:
    """Pools by name, and the families that the agent served."""

    pools: Mapping[str, Object]
    families: frozenset[Family]

    @classmethod
    @cache
    def of(cls, directory: Path) -> Bench:
        """What the folder's recordings were made on, as far as they can be read."""
        read = (json.loads(path.read_text()) for path in sorted(directory.glob("*.json")))
        recordings = [recorded for recorded in read if isinstance(recorded.get("steps"), list)]
        given = [ip for recorded in recordings for ip in _given(recorded)]
        unknown = _unknown(recordings, given)
        families = {family_of(ip["address"]) for ip in given} | {Family.V4}
        return cls({**POOLS, **unknown}, frozenset(families))


def _given(recorded: Object) -> Iterator[Object]:
    for step in recorded["steps"]:
        if isinstance(step["response"], Mapping):
            yield from step["response"].get("ips") or ()


def _unknown(recordings: list[Object], given: list[Object]) -> dict[str, Object]:
    """Pools from which something was given, as one range from the lowest address on."""
    found: dict[str, Object] = {}
    for ip in given:
        name = ip["ipPool"]
        if name in POOLS or name in found:
            continue
        statuses = [r.get("pools_with_allocations", {}).get(name) for r in recordings]
        held = {a for status in statuses if status for a in json.loads(status["allocatedIPs"])}
        first = min(map(ip_address, {*held, ip["address"].split("/")[0]}), key=int)
        count = max((status["totalIPCount"] for status in statuses if status), default=1)
        network = str(ip_interface(ip["address"]).network)
        found[name] = {"subnet": network, "ips": [f"{first}-{first + (count - 1)}"]}
        if ip.get("gateway"):
            found[name]["gateway"] = ip["gateway"]
    return found
