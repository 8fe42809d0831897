"""The fabric's benchmark builds the same cluster both ways and compares."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.kernel
@pytest.mark.binary("ip")
@pytest.mark.binary("sysctl")
def test_the_benchmark_prints_ratios() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fabric", "--json", "--rounds", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert set(answer["ratio"]) == {"empty namespaces", "ours", "cluster", "ip -batch"}
    assert answer["ratio"]["ours"] == 1
    assert done.stderr == "", "ip had nothing to complain about"
