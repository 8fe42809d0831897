"""One test leaves nothing to the next in the same process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
TWO = """
import logging
from spiderpool import logs

def test_one_starts_to_log():
    logs.to_stderr("install")
    assert isinstance(logging.getLogger().handlers[0], logs.WhileRead)

def test_the_next_does_not_log_to_a_number_that_is_another_file_by_now():
    assert not [one for one in logging.getLogger().handlers if isinstance(one, logs.WhileRead)]
    assert logging.getLogger().level == logging.WARNING
"""


def test_log_handlers_end_with_their_test(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(TWO)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(TESTS), str(TESTS.parent)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1].startswith("2 passed"), done.stdout + done.stderr
