"""The guide for authors of scenarios names every word that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scenario.expectations import Outcome
from harness.scenario.load import _STEPS, _TOP
from harness.scenario.model import Capability
from harness.scenario.reference import PROPERTIES
from harness.scenario.words import _NIC_ATTRIBUTES, _WORDS

GUIDE = (Path(__file__).parents[3] / "scenarios/README.md").read_text()


@pytest.mark.parametrize("word", [*_TOP, *_STEPS, *_WORDS])
def test_every_key_is_in_the_guide(word: str) -> None:
    assert f"{word}:" in GUIDE


@pytest.mark.parametrize("word", [*Capability, *_NIC_ATTRIBUTES, *PROPERTIES])
def test_every_value_is_in_the_guide(word: str) -> None:
    assert word in GUIDE


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.REPLIED])
def test_every_outcome_is_in_the_guide(outcome: Outcome) -> None:
    assert str(outcome) in GUIDE
