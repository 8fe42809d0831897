"""Scenarios that are others with some things different."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scenario.expectations import Reaches
from harness.scenario.load import load
from harness.scenario.model import Expect, PodName, Scenario
from spiderpool.errors import BadInput

ORIGINAL = """\
scenario: original
summary: One
topology: page
cases: [C1]
names:
  web: {pod: app=nginx, on: worker01}
  other: {pod: app=nginx, on: controller}
steps:
  - expect:
      - {id: first, ping: {from: web, to: other.net1}, leaves: web.net1}
      - {id: second, each: [web, other], on: it, ip rule: "0: from all lookup local"}
"""
VARIANT = """\
scenario: variant
summary: Another
of: original
topology: one-node
names:
  other: {pod: app=nginx, number: 2}
"""


def variant(folder: Path, changes: str, original: str = ORIGINAL) -> Scenario:
    for name, text in (("original", original), ("variant", VARIANT + changes)):
        (folder / name).mkdir()
        (folder / name / "scenario.yaml").write_text(text)
    return load(folder / "variant")


def refusal(folder: Path, changes: str, original: str = ORIGINAL) -> str:
    with pytest.raises(BadInput) as caught:
        variant(folder, changes, original)
    return str(caught.value).removeprefix(f"{folder}/")


def test_what_is_not_said_is_as_in_the_original(tmp_path: Path) -> None:
    loaded = variant(tmp_path, "")
    assert (loaded.name, loaded.topology, loaded.cases) == ("variant", "one-node", ())
    assert loaded.file == tmp_path / "variant/scenario.yaml"
    assert loaded.names == {
        "web": PodName("app=nginx", "default", "worker01"),
        "other": PodName("app=nginx", "default", None, 2),
    }
    assert [each.id for each in loaded.expectations()] == ["first", "second[web]", "second[other]"]


def test_expectations_are_left_out_and_put_in_for_others(tmp_path: Path) -> None:
    loaded = variant(
        tmp_path,
        "without: ['second[other]']\n"
        "instead: [{id: first, ping: {from: web, to: other.eth0}, leaves: web.eth0}]\n",
    )
    (step,) = loaded.steps
    assert isinstance(step, Expect)
    first, second = step.expectations
    assert isinstance(first, Reaches)
    assert str(first.leaves) == "web.eth0"
    assert first.where.file.endswith("variant/scenario.yaml")
    assert second.id == "second[web]"
    assert second.where.file.endswith("original/scenario.yaml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            "without: [third]\n",
            "variant/scenario.yaml:7: original has no expectation 'third'; see its ids",
        ),
        (
            'instead: [{id: second, on: web, ip rule: "0: from all lookup local"}]\n',
            "original has no expectation 'second' to put this one in for",
        ),
        ("steps: []\n", "'steps' is not known in scenario.yaml"),
        ("without: [first, 'second[web]', 'second[other]']\n", "this scenario expects nothing"),
    ],
)
def test_changes_that_change_nothing_are_refused(tmp_path: Path, changes: str, words: str) -> None:
    assert words in refusal(tmp_path, changes)


def test_a_variant_is_of_a_whole_scenario(tmp_path: Path) -> None:
    itself = VARIANT.replace("scenario: variant", "scenario: original")
    assert "original/scenario.yaml is a variant itself" in refusal(tmp_path, "", itself)


def test_an_original_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(VARIANT)
    with pytest.raises(BadInput, match=r"scenario.yaml:3: there is no .*original/scenario.yaml"):
        load(tmp_path)


def test_pods_are_counted_from_one(tmp_path: Path) -> None:
    zero = ORIGINAL.replace("on: controller", "number: 0")
    assert "there is no pod number 0; count from 1" in refusal(tmp_path, "", zero)
