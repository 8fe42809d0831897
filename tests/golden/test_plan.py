"""``harness plan``: a recorded case as commands, and nothing done."""

import json

import pytest
from golden_files import golden

from harness.cli.main import main

CASES = golden("coordinator")


def test_the_page_s_case_is_printed_as_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(CASES / "seed-overlay-2nic")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "# ADD net1"
    assert "ip rule add pref 32760 from 10.6.212.145/32 lookup 100" in printed
    assert "ip route append 10.6.212.145/32 dev cali1f2e3d4c5b6 table 500" in printed
    assert "# DEL net1" in printed


def test_json_names_each_call_with_what_is_done_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(CASES / "seed-overlay-2nic"), "--json"]) == 0
    add, *_ = json.loads(capsys.readouterr().out)
    assert add["call"] == "ADD net1"
    assert any("10.6.212.145" in command for command in add["node"])


def test_a_folder_without_a_case_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(CASES)]) == 2
    assert "case.json" in capsys.readouterr().err
