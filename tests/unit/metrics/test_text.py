"""The page that Prometheus reads, letter by letter."""

from __future__ import annotations

from spiderpool.metrics.durations import Durations
from spiderpool.metrics.text import counter, exposition, gauges


def test_counters_and_gauges() -> None:
    page = exposition(
        [
            counter("a_counts", "Things.", 3),
            gauges("b", "Free.", "ippool", {"x": 1.5, 'q"\\\n': 2}),
        ]
    )
    assert page == (
        "# HELP a_counts Things.\n"
        "# TYPE a_counts counter\n"
        "a_counts 3\n"
        "# HELP b Free.\n"
        "# TYPE b gauge\n"
        'b{ippool="x"} 1.5\n'
        'b{ippool="q\\"\\\\\\n"} 2\n'
    )


def test_durations_are_a_histogram_and_four_gauges() -> None:
    durations = Durations()
    for seconds in (0.02, 0.005, 40.0):
        durations.note(seconds)
    lines = exposition(durations.metrics("x", "duration_seconds", "work")).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values["x_max_duration_seconds"] == "40"
    assert values["x_min_duration_seconds"] == "0.005"
    assert values["x_latest_duration_seconds"] == "40"
    assert float(values["x_average_duration_seconds"]) * 3 == 40.025
    assert values['x_duration_seconds_bucket{le="0.005"}'] == "1"
    assert values['x_duration_seconds_bucket{le="0.025"}'] == "2"
    assert values['x_duration_seconds_bucket{le="30.0"}'] == "2"
    assert values['x_duration_seconds_bucket{le="+Inf"}'] == "3"
    assert values["x_duration_seconds_count"] == "3"
    assert values["x_duration_seconds_sum"] == "40.025"
