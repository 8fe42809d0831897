"""``harness diff`` of a scenario: another coordinator is put in the place of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from coordinator_standin import RULE_OF_NET1_TO_TABLE_OF_ETH0, THE_SAME, executable

from harness.cli.main import main

pytestmark = [pytest.mark.kernel, pytest.mark.binary("kubectl"), pytest.mark.binary("nft")]

SCENARIO = str(Path(__file__).parents[3] / "scenarios/coordinator/overlay")


def test_our_plan_carried_out_by_another_is_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["diff", SCENARIO, "--other", str(executable(tmp_path, THE_SAME))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "overlay: equal"
    assert status == 0
    assert len(lines) > 1 and all(line.endswith("and back") for line in lines[1:])


def test_packets_show_which_nic_another_plan_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = executable(tmp_path, RULE_OF_NET1_TO_TABLE_OF_ETH0)
    assert main(["diff", SCENARIO, "--other", str(other), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["calls"]
    said = [one["text"] for one in found["statements"] if one["side"] == "theirs"]
    assert "one number from <one.net1.v4> priority 32760 table 99" in said
    assert any(text.startswith("expectation fails: outside-by-net1[one] ") for text in said)
    probes = {one["probe"]: one for one in found["probes"]}
    outside = probes["outside-by-net1[one]"]
    assert outside["theirs"]["request"][0] == "one.eth0"
    assert outside["ours"]["request"][0] == "one.net1"
    assert outside["theirs"]["reply"][-1] == outside["ours"]["reply"][-1] == "one.net1"
    for side in ("theirs", "ours"):
        assert all(choice["agrees"] for choice in outside[side]["choices"])
    assert not probes["outside[one]"]["differs"]


def test_a_file_that_is_no_scenario_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "scenario.yaml"
    wrong.write_text("scenario: 7\n")
    other = str(executable(tmp_path, THE_SAME))
    assert main(["diff", str(wrong), "--other", other]) == 2
    assert "scenario.yaml:1" in capsys.readouterr().err


def test_what_cannot_be_executed_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    assert main(["diff", SCENARIO, "--other", str(text)]) == 2
    assert "text: cannot be executed: Exec format error" in capsys.readouterr().err
