"""Metrics as values, and as the text that Prometheus reads.

Not prometheus_client: it costs 42 ms and 3.4 MB at the start of each agent, and appends
``_total`` to the names of counters, which are given by upstream's dashboards.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricKind(enum.StrEnum):
    """The word in a TYPE line."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value; ``suffix`` is for the parts of a histogram (``_bucket``, ``_sum``, ...)."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """All samples of one name; names and labels' names are ours, never a user's."""

    name: str
    kind: MetricKind
    text: str
    samples: tuple[Sample, ...]


def counter(name: str, text: str, value: float) -> Metric:
    """A number that only grows."""
    return Metric(name, MetricKind.COUNTER, text, (Sample(value),))


def gauge(name: str, text: str, value: float) -> Metric:
    """A number that goes up and down."""
    return Metric(name, MetricKind.GAUGE, text, (Sample(value),))


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """One such number for each value of ``label``."""
    samples = (Sample(value, {label: key}) for key, value in values.items())
    return Metric(name, MetricKind.GAUGE, text, tuple(samples))


def exposition(metrics: Iterable[Metric]) -> str:
    """The page (Prometheus "Exposition formats", text-based format 0.0.4)."""
    lines: list[str] = []
    for metric in metrics:
        lines += (f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} {metric.kind}")
        lines += (_line(metric.name, sample) for sample in metric.samples)
    return "\n".join(lines) + "\n"


def _line(name: str, sample: Sample) -> str:
    labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items())
    return f"{name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
