"""Every reason is explained, and no event is written by another word."""

from __future__ import annotations

import pytest

from spiderpool.kube.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_it_means_and_what_to_do(reason: Reason) -> None:
    assert reason.isalpha()
    assert reason[0].isupper()
    assert reason.meaning.on
    assert reason.meaning.says.endswith(".")
    assert reason.meaning.remedy.endswith(".")
