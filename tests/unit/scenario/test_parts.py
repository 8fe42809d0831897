"""Steps about Spiderpool's own programs, and what every scenario ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scenario.expectations import Invariants
from harness.scenario.load import load
from harness.scenario.model import (
    Ctl,
    Expect,
    KillPart,
    Manifests,
    Part,
    Scenario,
    StartPart,
    StopPart,
)
from spiderpool.errors import BadInput

HEAD = "scenario: x\nsummary: x\ntopology: page\nsteps:\n"
EXPECT = '  - expect:\n    - {id: rules, on: worker01, ip rule: "0: from all lookup local"}\n'


def written(tmp_path: Path, steps: str) -> Scenario:
    path = tmp_path / "scenario.yaml"
    path.write_text(HEAD + steps + EXPECT)
    return load(path)


def test_parts_are_killed_and_started(tmp_path: Path) -> None:
    steps = written(
        tmp_path,
        "  - kill: agent\n    on: worker01\n  - start: agent\n    on: worker01\n"
        "  - kill: controller\n  - stop: agent\n    on: worker01\n"
        "  - spiderpoolctl: ip release 10.6.0.1 --force\n",
    ).steps
    assert [str(step) for step in steps[:5]] == [
        "kill agent on worker01",
        "start agent on worker01",
        "kill controller",
        "stop agent on worker01",
        "spiderpoolctl ip release 10.6.0.1 --force",
    ]
    assert isinstance(steps[0], KillPart) and steps[0].part is Part.AGENT
    assert isinstance(steps[1], StartPart) and isinstance(steps[3], StopPart)
    assert isinstance(steps[4], Ctl)


def test_pods_can_be_forgotten_at_once(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("kind: Pod\n")
    step = written(tmp_path, "  - delete: pod.yaml\n    force: true\n").steps[0]
    assert isinstance(step, Manifests) and step.force


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("  - kill: agent\n", "there is one on each node; name its node by `on:`"),
        ("  - start: controller\n    on: worker01\n", "there is only one; leave `on:` out"),
        ("  - kill: kubelet\n", "kill is 'kubelet'; use agent or controller"),
        ("  - spiderpoolctl: gc --now; rm x\n", "'--now;' is no word of spiderpoolctl here"),
        ("  - spiderpoolctl: gc --kubeconfig=x\n", "is no word of spiderpoolctl here"),
        ("  - apply: x.yaml\n    force: true\n", "'force' is not known"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, steps: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        written(tmp_path, steps)
    assert words in str(caught.value)


def test_invariants_are_judged_last_where_spiderpool_is(tmp_path: Path) -> None:
    steps = written(tmp_path, "  - install: spiderpool\n").steps
    assert isinstance(steps[-1], Expect)
    (last,) = steps[-1].expectations
    assert isinstance(last, Invariants) and last.id == "invariants"
    assert not any(isinstance(e, Invariants) for e in written(tmp_path, "").expectations())
