"""A whole run that is killed in its middle leaves the machine as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from machine_state import killed_without_a_trace, machine_state

ROOT = Path(__file__).parents[3]
PARTS = 6
"""Caller, init, engine, API server, controller and an agent, at least."""


@pytest.mark.kernel
@pytest.mark.binary("macvlan")
@pytest.mark.binary("kubectl")
@pytest.mark.parametrize("events", [2, 12], ids=["at its start", "among its probes"])
def test_a_killed_run_leaves_nothing(events: int) -> None:
    before = machine_state()
    harness = str(Path(sys.executable).with_name("harness"))
    command = [harness, "run", "scenarios/quickstart", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        for _ in range(events):
            assert run.stdout.readline(), "the run ended before it was killed"
        assert killed_without_a_trace(run, PARTS)
    assert machine_state() == before
