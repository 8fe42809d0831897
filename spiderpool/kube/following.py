"""Which kinds a process cannot follow at the moment, for its pages of health and metrics."""

from __future__ import annotations

from collections.abc import Iterable

from spiderpool.kube.informer import WatchedCache
from spiderpool.metrics.text import Metric, gauges


def behind(caches: Iterable[WatchedCache]) -> list[str]:
    """Why, a line for each kind of which what is known may be old."""
    return list(dict.fromkeys(cache.problem for cache in caches if cache.problem))


def followed(caches: Iterable[WatchedCache]) -> Metric:
    """1 for each kind that is followed, else 0."""
    values: dict[str, float] = {}
    for cache in caches:
        kind = cache.resource.plural
        values[kind] = min(values.get(kind, 1), not cache.problem)
    text = "1 while a kind of the API is followed, else 0, and what is known of it is old."
    return gauges("spiderpool_kind_followed", text, "kind", values)
