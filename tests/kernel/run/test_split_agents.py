"""The acceptance scenario with agents that have no capability, and kernel roles that do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.run.agents import AgentRoles, NodeAgent
from harness.run.events import Ended, Judged, Result
from harness.run.launch import run
from harness.run.target import Emulation
from harness.scenario.load import load

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("kubectl"),
    pytest.mark.binary("macvlan"),
    pytest.mark.binary("nft"),
    pytest.mark.binary("setpriv"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to give up"),
]

QUICKSTART = Path(__file__).parents[3] / "scenarios/quickstart/scenario.yaml"


def test_the_page_runs() -> None:
    events = list(run(QUICKSTART, target=Emulation(agent_roles=AgentRoles.SPLIT)))
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert not ended.problem
    assert not ended.cannot
    verdicts = [event for event in events if isinstance(event, Judged)]
    assert not [event for event in verdicts if event.result is not Result.PASSED]
    assert {event.id for event in verdicts} == {each.id for each in load(QUICKSTART).expectations()}


def test_who_may_what(tmp_path: Path) -> None:
    """What is put before the programs leaves the one without capabilities, the other with three."""
    agent = NodeAgent("worker01", tmp_path, tmp_path / "kubeconfig", 0, AgentRoles.SPLIT)

    def capabilities(command: Sequence[str]) -> int:
        prefix = command[: command.index("--") + 1]
        done = subprocess.run(
            [*prefix, "grep", "CapEff", "/proc/self/status"], capture_output=True, check=True
        )
        return int(done.stdout.split()[1], 16)

    assert capabilities(agent.command) == 0
    assert capabilities(agent.kernel_command).bit_count() == 3
