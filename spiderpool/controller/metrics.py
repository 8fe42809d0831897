"""What the controller counts, under upstream's names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from spiderpool.controller.caches import Caches
from spiderpool.ipam.autopools import OWNER_SUBNET
from spiderpool.kube.api import Object
from spiderpool.metrics.text import Metric, counter, gauge, gauges


@dataclass(slots=True)
class Collected:
    """What the collector has done since this process leads or led."""

    released: int = 0
    failed: int = 0
    candidates: int = 0


@dataclass(slots=True)
class Reviewed:
    """What the webhook of this process was asked."""

    answered: int = 0
    refused: int = 0
    failed: int = 0


@dataclass(slots=True)
class Counts:
    """All that a controller's process counts."""

    leads: bool = False
    collected: Collected = field(default_factory=Collected)
    reviewed: Reviewed = field(default_factory=Reviewed)


def metrics(caches: Caches, counts: Counts) -> Iterator[Metric]:
    """All numbers of the controller; sizes are those of the objects' status."""
    yield from _process(counts.leads, counts.reviewed)
    yield gauges(
        "spiderpool_coordinator_synced",
        "1 when the cluster's CIDRs are known, else 0, and pods are refused.",
        "coordinator",
        {_name(obj): _is_synced(obj) for obj in caches.coordinators.all()},
    )
    yield from _collection(counts.collected)
    yield from _addresses(caches.pools.all(), caches.subnets.all())


def _process(leads: bool, reviewed: Reviewed) -> Iterator[Metric]:
    yield gauge("spiderpool_controller_leader", "1 in the process that reconciles, else 0.", leads)
    yield counter("spiderpool_webhook_counts", "Reviews that were answered.", reviewed.answered)
    yield counter("spiderpool_webhook_refusal_counts", "Those that refuse.", reviewed.refused)
    yield counter(
        "spiderpool_webhook_failure_counts", "Reviews without an answer.", reviewed.failed
    )


def _collection(collected: Collected) -> Iterator[Metric]:
    yield counter("spiderpool_ip_gc_counts", "Addresses that were collected.", collected.released)
    yield counter(
        "spiderpool_ip_gc_failure_counts", "Addresses that could not be.", collected.failed
    )
    yield gauge(
        "spiderpool_ip_gc_candidates", "Addresses under suspicion now.", collected.candidates
    )


def _addresses(pools: list[Object], subnets: list[Object]) -> Iterator[Metric]:
    yield gauge("spiderpool_total_ippool_counts", "SpiderIPPools.", len(pools))
    yield gauge("spiderpool_total_subnet_counts", "SpiderSubnets.", len(subnets))
    yield from _sizes("ippool", pools)
    yield from _sizes("subnet", subnets)
    of_subnet = Counter((pool["metadata"].get("labels") or {}).get(OWNER_SUBNET) for pool in pools)
    counts = {name: float(of_subnet[name]) for name in map(_name, subnets)}
    yield gauges("spiderpool_debug_subnet_ippool_counts", "Pools of a subnet.", "subnet", counts)


def _sizes(word: str, objects: list[Object]) -> Iterator[Metric]:
    total, free = {}, {}
    for obj in objects:
        status = obj.get("status") or {}
        total[_name(obj)] = float(status.get("totalIPCount") or 0)
        free[_name(obj)] = total[_name(obj)] - float(status.get("allocatedIPCount") or 0)
    prefix = f"spiderpool_debug_{word}"
    yield gauges(f"{prefix}_total_ip_counts", f"Addresses of a {word}.", word, total)
    yield gauges(f"{prefix}_available_ip_counts", "Those that are not used.", word, free)


def _is_synced(obj: Object) -> bool:
    return (obj.get("status") or {}).get("phase") == "Synced"


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])
