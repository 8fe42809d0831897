"""We find the CIDRs that the recorded ones show, or more."""

import pytest
from golden_files import golden

from harness.golden import coordstatus

DIRECTORY = golden("coordstatus")


@pytest.mark.parametrize("case", coordstatus.cases(DIRECTORY))
def test_case(case: str) -> None:
    comparison = coordstatus.compare(DIRECTORY, case)
    assert comparison.holds, str(comparison)


def test_every_explanation_is_of_a_case() -> None:
    assert set(coordstatus.EXPLAINED) <= set(coordstatus.cases(DIRECTORY))
