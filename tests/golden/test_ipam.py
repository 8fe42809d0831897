"""We give the addresses that the recorded agent gives, and refuse what it refuses."""

import pytest
from golden_files import golden

from harness.golden import ipam

DIRECTORY = golden("ipam")


@pytest.mark.parametrize("case", ipam.cases(DIRECTORY))
def test_case(case: str) -> None:
    comparison = ipam.compare(DIRECTORY, case)
    assert comparison.holds, str(comparison)


def test_every_explanation_is_of_a_case() -> None:
    assert set(ipam.EXPLAINED) <= set(ipam.cases(DIRECTORY))
