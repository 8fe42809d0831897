"""The benchmark runs, and compares all ways in all cases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.kernel
@pytest.mark.binary("ip")
def test_the_benchmark_prints_ratios() -> None:
    command = [sys.executable, "-m", "benchmarks.netlink"]
    options = ["--json", "--operations", "5", "--rounds", "1"]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows = json.loads(done.stdout)
    assert [row["case"] for row in rows] == [
        "route add",
        "rule add",
        "address add",
        "dump of a pod",
    ]
    for row in rows:
        assert row["ratio"]["pre-encoded bytes"] == 1
        assert {"ours", "pyroute2", "ip -batch"} <= set(row["ratio"])
