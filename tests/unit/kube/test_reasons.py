"""Every reason is explained, and no event is written by another word."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from spiderpool.kube import reasons
from spiderpool.kube.reasons import Reason

PRODUCT = Path(reasons.__file__).parents[1]


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_it_means_and_what_to_do(reason: Reason) -> None:
    assert reason.isalpha()
    assert reason[0].isupper()
    assert reason.meaning.on
    assert reason.meaning.says.endswith(".")
    assert reason.meaning.remedy.endswith(".")


def test_the_product_writes_no_event_by_another_word() -> None:
    """The recorder serves the harness' kubelet, too, so types alone do not say it."""
    calls = [
        (path.name, ast.unparse(node.args[1]))
        for path in PRODUCT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func).endswith(("recorder.warn", "events.warn"))
    ]
    assert len(calls) >= 7
    assert {words for _, words in calls if not words.startswith("Reason.")} == {"reason"}
