"""What the doctor prints, and that it says no when something is missing."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.cli.doctor import as_json, as_text
from harness.doctor import machine
from harness.doctor.finding import Finding, ready

FINE = Finding("link veth", works=True, required=True)
MISSING = Finding("nft", False, True, "not found", "apt-get install nftables")
ABSENT = Finding("link vlan", False, False, "the kernel does not know it", "modprobe 8021q")


def test_only_what_is_required_decides() -> None:
    assert ready([FINE, ABSENT])
    assert not ready([FINE, MISSING])


def test_text_names_what_is_wrong_and_how_to_mend_it() -> None:
    lines = as_text([FINE, MISSING, ABSENT]).splitlines()
    assert [line.split()[0] for line in lines if line and "->" not in line] == [
        "ok", "MISSING", "absent", "scenarios",
    ]  # fmt: skip
    assert "-> apt-get install nftables" in lines[2]
    assert lines[-1] == "scenarios cannot run here"


def test_json_has_everything() -> None:
    answer = json.loads(as_json([FINE, MISSING]))
    assert answer["ready"] is False
    assert answer["findings"][1] == {
        "name": "nft",
        "works": False,
        "required": True,
        "detail": "not found",
        "remedy": "apt-get install nftables",
    }


def test_a_missing_program_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {finding.name: finding.works for finding in machine.examine_machine()}
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    after = {finding.name: finding for finding in machine.examine_machine()}
    assert before["nft"], "the control: it is there"
    assert not after["nft"].works
    assert "install nftables" in after["nft"].remedy
