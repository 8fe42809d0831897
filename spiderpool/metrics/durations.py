"""How long something takes, as upstream tells it: a histogram and four gauges."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from spiderpool.metrics.text import Metric, MetricKind, Sample, gauge

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper limits in seconds."""


@dataclass(slots=True)
class Durations:
    """Seconds, counted since the process started."""

    count: int = 0
    total: float = 0.0
    shortest: float = 0.0
    longest: float = 0.0
    latest: float = 0.0
    _buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    def note(self, seconds: float) -> None:
        """One more."""
        self.shortest = min(self.shortest, seconds) if self.count else seconds
        self.longest = max(self.longest, seconds)
        self.latest = seconds
        self.count, self.total = self.count + 1, self.total + seconds
        self._buckets[bisect_left(BUCKETS, seconds)] += 1

    def metrics(self, prefix: str, suffix: str, what: str) -> Iterator[Metric]:
        """``prefix_average_suffix`` and so on, and the histogram ``prefix_suffix``."""
        average = self.total / self.count if self.count else 0.0
        yield gauge(f"{prefix}_average_{suffix}", f"Average time of {what}.", average)
        yield gauge(f"{prefix}_max_{suffix}", f"Longest time of {what}.", self.longest)
        yield gauge(f"{prefix}_min_{suffix}", f"Shortest time of {what}.", self.shortest)
        yield gauge(f"{prefix}_latest_{suffix}", f"Time of the latest {what}.", self.latest)
        limits = (*map(str, BUCKETS), "+Inf")
        sums = itertools.accumulate(self._buckets)
        samples = [Sample(n, {"le": le}, "_bucket") for le, n in zip(limits, sums, strict=True)]
        samples += [Sample(self.total, suffix="_sum"), Sample(self.count, suffix="_count")]
        yield Metric(
            f"{prefix}_{suffix}", MetricKind.HISTOGRAM, f"Times of {what}.", tuple(samples)
        )
