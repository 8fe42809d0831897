"""Our NetworkAttachmentDefinitions mean what the recorded ones mean."""

import pytest
from golden_files import golden

from harness.golden import nad

DIRECTORY = golden("nad")


@pytest.mark.parametrize("case", nad.cases(DIRECTORY))
def test_case(case: str) -> None:
    comparison = nad.compare(DIRECTORY, case)
    assert comparison.holds, str(comparison)


def test_every_explanation_is_of_a_case() -> None:
    assert set(nad.EXPLAINED) <= set(nad.cases(DIRECTORY))
