"""Each recorded case is equal or explained; an explanation is documented, and each is used
by nothing but the rule of that name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from golden_files import golden

from harness.golden.compare import Verdict
from harness.golden.kinds import KINDS, judge, kind_of
from spiderpool.errors import BadInput

DIFFERENCES = Path(__file__).parents[2] / "docs" / "differences.md"
CASES = [(kind, case) for kind, known in KINDS.items() for case in known.cases(golden(kind))]


@pytest.mark.parametrize(("kind", "case"), CASES, ids=str)
def test_case(kind: str, case: str) -> None:
    judgement = judge(kind, golden(kind), case)
    unexplained = "\n".join(map(str, judgement.unexplained))
    assert judgement.verdict is not Verdict.DIFFERENT, unexplained


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_known_by_its_shape(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "any-name"
    folder.symlink_to(golden(kind))
    assert kind_of(folder) == kind


def test_an_unknown_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadInput, match="holds no recorded cases; give one shaped like"):
        kind_of(tmp_path)


def test_rules_and_documented_ids_are_the_same() -> None:
    documented = re.findall(r"^\| `([a-z0-9-]+)` \|", DIFFERENCES.read_text(), re.MULTILINE)
    rules = {rule for kind in KINDS.values() for rule in kind.rules}
    assert sorted(documented) == sorted(rules)
