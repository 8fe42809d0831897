"""The table of upstream's cases says what the scenarios say, and leaves none out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.scenario.load import load

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "scenarios"
TEXT = (SCENARIOS / "CASES.md").read_text()
ROWS = [
    (re.split(r",\s*", cells[0]), cells[2])
    for line in TEXT.splitlines()
    if re.match(r"\| [CNM#]\d", line)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
]
ID = re.compile(r"[CNM]\d{5}|#\d{4}")
LAST = {"C": 24, "N": 6}
DOCUMENTED = {f"{kind}{n:05}" for kind, last in LAST.items() for n in range(1, last + 1)}
SHOWN = [
    *sorted(SCENARIOS.glob("coordinator/*/scenario.yaml")),
    *sorted(SCENARIOS.glob("regressions/*/scenario.yaml")),
]


def shown_by(how: str) -> tuple[list[str], list[Path]]:
    """Scenarios, by their folders, and other files that a row names."""
    names = re.findall(r"`([^`]+)`", how)
    scenarios = [name for name in names if (SCENARIOS / name / "scenario.yaml").exists()]
    return scenarios, [ROOT / name for name in names if name not in scenarios]


def test_each_id_has_one_row() -> None:
    ids = [each for row, _ in ROWS for each in row]
    assert len(ids) == len(set(ids))
    assert set(ids) >= DOCUMENTED
    assert all(ID.fullmatch(each) for each in ids)


@pytest.mark.parametrize(("ids", "how"), ROWS, ids=lambda value: value[0])
def test_what_a_row_names_is_there(ids: list[str], how: str) -> None:
    scenarios, files = shown_by(how)
    assert scenarios or "no packet" in how
    assert [file for file in files if not file.is_file()] == []
    for each in ids:
        said = {s for s in scenarios if each in load(SCENARIOS / s).cases}
        assert said or not scenarios, f"{each} is in the cases of none of {scenarios}"
        if len(ids) == 1:
            assert said == set(scenarios)


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: file.parent.name)
def test_what_a_scenario_covers_is_in_the_table(file: Path) -> None:
    folder = f"{file.parent.parent.name}/{file.parent.name}"
    listed = {each for ids, how in ROWS if folder in shown_by(how)[0] for each in ids}
    assert set(filter(ID.fullmatch, load(file).cases)) <= listed
