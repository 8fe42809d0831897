"""The acceptance scenario on Kubernetes' own API server."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.kubeapi.real import ASSETS, assets_folder
from harness.run.apiservers import ApiServer
from harness.run.events import Ended, Judged, Result, Started
from harness.run.launch import run
from harness.run.target import Emulation
from harness.scenario.load import load

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.binary("kubectl"),
    pytest.mark.binary("nft"),
    pytest.mark.skipif(
        not assets_folder(), reason=f"no kube-apiserver: export {ASSETS}=$(ci/kube-assets)"
    ),
]

QUICKSTART = Path(__file__).parents[3] / "scenarios/quickstart/scenario.yaml"


def test_the_page_runs_on_a_real_apiserver() -> None:
    started, *events = run(QUICKSTART, target=Emulation(ApiServer.REAL))
    assert isinstance(started, Started)
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert not ended.problem
    assert not ended.cannot
    verdicts = [event for event in events if isinstance(event, Judged)]
    failed = [event for event in verdicts if event.result is not Result.PASSED]
    assert not failed
    assert {event.id for event in verdicts} == {each.id for each in load(QUICKSTART).expectations()}


def test_without_its_programs_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ASSETS)
    *_, ended = run(QUICKSTART, target=Emulation(ApiServer.REAL))
    assert isinstance(ended, Ended)
    assert f"export {ASSETS}=$(ci/kube-assets)" in ended.cannot
