"""Where the recorded cases lie: HARNESS_GOLDEN, or next to the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parent.parent.parent.parent / "shared" / "golden"


def golden(kind: str) -> Path:
    """The directory of one kind of case; the module is skipped, saying why, without it."""
    directory = Path(os.environ.get("HARNESS_GOLDEN", _BESIDE)) / kind
    if not directory.is_dir():
        reason = f"{directory} does not exist; set HARNESS_GOLDEN to the recorded cases"
        pytest.skip(reason, allow_module_level=True)
    return directory
