"""The table of CNI error codes has those that the plugins print, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from spiderpool.errors import CniCode

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


def test_every_code_is_explained() -> None:
    rows = re.findall(r"^\| ([0-9, ]+) \|", PAGE.read_text(), re.MULTILINE)
    assert [int(code) for row in rows for code in row.split(",")] == [int(code) for code in CniCode]
