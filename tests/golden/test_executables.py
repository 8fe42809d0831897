"""Recorded calls through our real plugin in real namespaces."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_files import golden

from harness.golden.compare import Verdict
from harness.golden.kernel import judge_in_kernel

pytestmark = pytest.mark.kernel

DIRECTORY = golden("coordinator")


def test_every_recorded_call_by_our_plugin_in_namespaces() -> None:
    judgements = judge_in_kernel(DIRECTORY)
    assert len(judgements) == len(list(DIRECTORY.iterdir()))
    unexplained = {one.case: list(map(str, one.unexplained)) for one in judgements}
    assert {case: texts for case, texts in unexplained.items() if texts} == {}
    assert any(one.verdict is Verdict.EXPLAINED for one in judgements)


def test_a_case_that_cannot_be_read_is_different(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "case.json").write_text("{}")
    (judgement,) = judge_in_kernel(tmp_path)
    assert judgement.verdict is Verdict.DIFFERENT
    assert "broken: cannot be read" in str(judgement.differences[0])
