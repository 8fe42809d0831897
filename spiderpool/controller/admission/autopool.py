"""Rules of automatic pools: their controller sizes them, and one workload draws from them."""

from __future__ import annotations

from spiderpool.controller.admission.findings import Findings, Reason, Request
from spiderpool.errors import BadInput
from spiderpool.ipam.autopools import (
    AFFINITY_KEYS,
    APPLICATION,
    CONTROLLER,
    NUMBER,
    OWNER_SUBNET,
)
from spiderpool.ipam.pools import Pool, read_pool
from spiderpool.ipam.ranges import parse


def check_automatic(request: Request, found: Findings) -> None:
    """A pool that was made for a workload, or says so, and that can be read."""
    metadata = ((request.old or request.new) or {})["metadata"]
    made_for = (metadata.get("annotations") or {}).get(APPLICATION)
    if not made_for or request.new is None:
        return
    new = read_pool(request.new)
    if request.old is None:
        _check_affinity(new, made_for, found)
    elif request.manager != CONTROLLER:
        _check_unchanged(request, new, made_for, found)


def _check_affinity(new: Pool, made_for: str, found: Findings) -> None:
    selector = new.spec.pod_affinity
    keys = set(selector.match_labels) if selector else set()
    if keys != AFFINITY_KEYS or (selector and selector.match_expressions):
        problem = f"is not that of the automatic pool of {made_for}"
        remedy = f"use {', '.join(sorted(AFFINITY_KEYS))}, or leave annotation {APPLICATION} out"
        found.refuse("spec.podAffinity", problem, remedy, Reason.FORBIDDEN)


def _check_unchanged(request: Request, new: Pool, made_for: str, found: Findings) -> None:
    try:
        old = read_pool(request.old or {})
    except BadInput:
        return  # whatever can be read is better
    subnet = old.labels.get(OWNER_SUBNET, "")
    if parse(old.spec.ips, old.family, "") != parse(new.spec.ips, new.family, ""):
        problem = f"is given to the automatic pool of {made_for} by SpiderSubnet {subnet}"
        remedy = f"edit that, or the annotation {NUMBER} of the workload's pods"
        found.refuse("spec.ips", problem, remedy, Reason.FORBIDDEN)
    if old.spec.pod_affinity != new.spec.pod_affinity:
        problem = f"names {made_for}, which alone draws from its automatic pool"
        remedy = f"make a pool in the network of SpiderSubnet {subnet} for other pods"
        found.refuse("spec.podAffinity", problem, remedy, Reason.FORBIDDEN)
