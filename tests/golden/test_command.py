"""``harness golden``: what it prints, and its exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from golden_files import golden

from harness.cli.main import main


def test_verdicts_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(golden(kind)) for kind in ("nad", "coordstatus")]
    assert main(["golden", *folders]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "nad/macvlan-basic: equal" in lines
    assert "nad/macvlan-coord-full: explained: hostruletable-of-a-network" in lines
    assert lines[-1] == "36 equal, 6 explained, 0 different"


def test_a_difference_is_told_and_is_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = json.loads((golden("invalid") / "ippool-v6-ok.json").read_text())
    (tmp_path / "refused.json").write_text(json.dumps(recorded | {"accepted": False}))
    assert main(["golden", str(tmp_path)]) == 1
    assert "    refused -> accepted" in capsys.readouterr().out.splitlines()


def test_json_has_each_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["golden", "--json", "--in-memory", str(golden("coordinator"))]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["summary"]["different"] == 0
    page = next(one for one in found["cases"] if one["case"] == "seed-overlay-2nic")
    assert page["verdict"] == "explained"
    assert {"text": page["differences"][0]["text"], "explained": page["explained"][0]} in page[
        "differences"
    ]


def test_a_case_alone_or_no_case_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["golden", str(golden("coordinator") / "overlay-2nic")]) == 2
    assert "give the folder that it lies in" in capsys.readouterr().err
    assert main(["golden", str(tmp_path)]) == 2
    assert "holds no recorded cases" in capsys.readouterr().err


def test_another_endpoint_is_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = json.loads((golden("ipam") / "pool-nogw.json").read_text())
    (ip,) = recorded["endpoint"]["status"]["current"]["ips"]
    ip["ipv4Pool"] = "another"
    (tmp_path / "changed.json").write_text(json.dumps(recorded))
    assert main(["golden", str(tmp_path)]) == 1
    assert "endpoint.nics.eth0.ipv4Pool: 'another' -> " in capsys.readouterr().out


def test_an_unreadable_case_does_not_hide_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(golden("ipam") / "pool-nogw.json", tmp_path / "good.json")
    (tmp_path / "odd.json").write_text('{"steps": 3}')
    assert main(["golden", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "ipam/odd: different" in lines
    assert lines[0] == "ipam/good: equal"
