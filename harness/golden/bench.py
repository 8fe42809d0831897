"""The pools that were there while allocations were recorded.

The recording lacks them. Those of the known cluster are told here by the addresses and
reasons that it shows; what another recording has is told by its statuses and answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from spiderpool.types.address import Family, contains, family_of, network_of

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
        given = [shown for recorded in recordings for shown in _given(recorded)]
        named = {shown.pool for shown in given}.union(
            *(recorded.get("pools_with_allocations", ()) for recorded in recordings)
        )
        known = POOLS if not named or named & set(POOLS) else {}
        families = {family_of(shown.address) for shown in given} | {Family.V4}
        return cls({**known, **_unknown(recordings, given)}, frozenset(families))


@dataclass(frozen=True, slots=True)
class _Shown:
    """An address as it was given; ``routes`` are the pool's, ``by_default`` says that neither
    the pod nor the network named a pool."""

    pool: str
    address: str
    gateway: str | None
    routes: tuple[Object, ...]
    by_default: bool


def _given(recorded: Object) -> Iterator[_Shown]:
    annotations = recorded["pod"]["metadata"].get("annotations") or {}
    own = json.loads(annotations.get("ipam.spidernet.io/routes", "[]"))
    named = any(key.startswith("ipam.spidernet.io/ippool") for key in annotations)
    for step in recorded["steps"]:
        answer = step["response"] if isinstance(step["response"], Mapping) else {}
        routes = tuple(
            {"dst": route["dst"], "gw": route["gw"]}
            for route in answer.get("routes") or ()
            if route["dst"] not in ("0.0.0.0/0", "::/0", *(one["dst"] for one in own))
        )
        for ip in answer.get("ips") or ():
            mine = tuple(r for r in routes if contains(network_of(ip["address"]), r["gw"]))
            by_default = not named and not step.get("args")
            yield _Shown(ip["ipPool"], ip["address"], ip.get("gateway"), mine, by_default)


def _unknown(recordings: list[Object], given: list[_Shown]) -> dict[str, Object]:
    """Pools from which something was given, as one range from the lowest address on."""
    found: dict[str, Object] = {}
    for shown in given:
        if shown.pool in POOLS or shown.pool in found:
            continue
        statuses = [r.get("pools_with_allocations", {}).get(shown.pool) for r in recordings]
        held = {a for status in statuses if status for a in json.loads(status["allocatedIPs"])}
        first = min(map(ip_address, {*held, shown.address.split("/")[0]}), key=int)
        count = max((status["totalIPCount"] for status in statuses if status), default=1)
        spec: Object = {
            "subnet": network_of(shown.address),
            "ips": [f"{first}-{first + (count - 1)}"],
            "routes": list(shown.routes),
            "default": shown.by_default,
        }
        found[shown.pool] = spec | ({"gateway": shown.gateway} if shown.gateway else {})
    return found
