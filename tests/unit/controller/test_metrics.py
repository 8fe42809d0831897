"""The controller's numbers, by upstream's names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from spiderpool.controller.caches import Caches
from spiderpool.controller.metrics import Collected, Counts, Reviewed, metrics
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
    coordinators = cache(
        {"metadata": {"name": "default"}, "status": {"phase": "Synced"}},
        {"metadata": {"name": "new"}},
    )
    caches = SimpleNamespace(pools=pools, subnets=subnets, coordinators=coordinators)
    collected = Collected(released=5, failed=1, candidates=2)
    counts = Counts(leads=True, collected=collected, reviewed=Reviewed(7, 2, 1))
    page = exposition(metrics(cast(Caches, caches), counts))
    values = [line for line in page.splitlines() if not line.startswith("#")]
    assert values == [
        "spiderpool_controller_leader 1",
        "spiderpool_webhook_counts 7",
        "spiderpool_webhook_refusal_counts 2",
        "spiderpool_webhook_failure_counts 1",
        'spiderpool_coordinator_synced{coordinator="default"} 1',
        'spiderpool_coordinator_synced{coordinator="new"} 0',
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
