"""The output of ``harness diff`` on the site's page is what the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from coordinator_standin import RULE_OF_NET1_TO_TABLE_OF_ETH0, executable
from golden_files import golden

from harness.cli.main import main

pytestmark = pytest.mark.kernel

DIRECTORY = golden("coordinator")
PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "harness.md"


def test_each_line_of_the_page_is_printed_in_that_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = executable(tmp_path, RULE_OF_NET1_TO_TABLE_OF_ETH0)
    assert main(["diff", str(DIRECTORY / "seed-overlay-2nic"), "--other", str(other)]) == 1
    printed = iter(capsys.readouterr().out.splitlines())
    _, _, block = PAGE.read_text().partition("```text\nADD net1: ")
    shown = f"ADD net1: {block.partition('```')[0]}".splitlines()
    assert len(shown) > 5
    assert [line for line in shown if line not in printed] == []
