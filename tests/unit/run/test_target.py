"""Which cluster the options mean."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from harness.run.agents import AgentRoles
from harness.run.apiservers import ApiServer
from harness.run.target import Emulation, Existing, Target, chosen, declare
from spiderpool.errors import BadInput


def parsed(*words: str) -> Target:
    parser = argparse.ArgumentParser()
    declare(parser.add_argument)
    return chosen(parser.parse_args(words))


@pytest.mark.parametrize(
    "target",
    [
        Emulation(),
        Emulation(ApiServer.REAL),
        Emulation(agent_roles=AgentRoles.SPLIT),
        Existing(Path("/c.json")),
        Existing(Path("/c.json"), Path("/k")),
    ],
)
def test_options_lead_there_and_back(target: Target) -> None:
    assert parsed(*target.options) == target


def test_by_default_a_cluster_is_made() -> None:
    assert parsed() == Emulation(ApiServer.EMBEDDED)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--on=cluster"], "--on cluster: does not say where the cluster is; add --cluster FILE"),
        (["--cluster=/c"], "--cluster: is about an existing cluster; add --on cluster"),
        (["--kubeconfig=/c"], "--kubeconfig: is about an existing cluster; add --on cluster"),
        (["--on=cluster", "--cluster=/c", "--apiserver=real"], "--apiserver: is about the emulat"),
        (["--on=cluster", "--cluster=/c", "--agent-roles=split"], "--agent-roles: is about the em"),
    ],
)
def test_options_that_do_not_go_together(words: list[str], problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parsed(*words)
    assert str(caught.value).startswith(problem)
