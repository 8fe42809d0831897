"""What upstream refuses is refused, and what it should refuse."""

import pytest
from golden_files import golden

from harness.golden import invalid

DIRECTORY = golden("invalid")


@pytest.mark.parametrize("case", invalid.cases(DIRECTORY))
def test_case(case: str) -> None:
    comparison = invalid.compare(DIRECTORY, case)
    assert comparison.holds, str(comparison)


def test_every_explanation_is_of_a_case() -> None:
    assert set(invalid.EXPLAINED) <= set(invalid.cases(DIRECTORY))
