"""The series that metrics become on Prometheus' side."""

from __future__ import annotations

from collections.abc import Iterable

from spiderpool.metrics.text import Metric


def series_of(metrics: Iterable[Metric]) -> dict[str, set[str]]:
    """Labels by name."""
    found: dict[str, set[str]] = {}
    for metric in metrics:
        for sample in metric.samples:
            found.setdefault(metric.name + sample.suffix, set()).update(sample.labels)
    return found
