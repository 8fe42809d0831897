"""The controller's numbers, by upstream's names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from spiderpool.controller.caches import Caches
from spiderpool.controller.metrics import Collected, metrics
from spiderpool.metrics.text import exposition


def cache(*objects: dict[str, Any]) -> Any:
    return SimpleNamespace(all=lambda: list(objects))


def test_pools_subnets_and_collection() -> None:
    labels = {"ipam.spidernet.io/owner-spider-subnet": "s"}
    status = {"totalIPCount": 10, "allocatedIPCount": 3}
    pools = cache(
        {"metadata": {"name": "a", "labels": labels}, "status": status}, {"metadata": {"name": "b"}}
    )
    subnets = cache({"metadata": {"name": "s"}, "status": {"totalIPCount": 20}})
    caches = cast(Caches, SimpleNamespace(pools=pools, subnets=subnets))
    page = exposition(metrics(caches, Collected(released=5, failed=1, candidates=2)))
    values = [line for line in page.splitlines() if not line.startswith("#")]
    assert values == [
        "spiderpool_ip_gc_counts 5",
        "spiderpool_ip_gc_failure_counts 1",
        "spiderpool_ip_gc_candidates 2",
        "spiderpool_total_ippool_counts 2",
        "spiderpool_total_subnet_counts 1",
        'spiderpool_debug_ippool_total_ip_counts{ippool="a"} 10',
        'spiderpool_debug_ippool_total_ip_counts{ippool="b"} 0',
        'spiderpool_debug_ippool_available_ip_counts{ippool="a"} 7',
        'spiderpool_debug_ippool_available_ip_counts{ippool="b"} 0',
        'spiderpool_debug_subnet_total_ip_counts{subnet="s"} 20',
        'spiderpool_debug_subnet_available_ip_counts{subnet="s"} 20',
        'spiderpool_debug_subnet_ippool_counts{subnet="s"} 1',
    ]
