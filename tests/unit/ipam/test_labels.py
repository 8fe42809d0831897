"""Selectors mean what Kubernetes means by them."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.ipam.labels import matches
from spiderpool.types.codec import decode
from spiderpool.types.metadata import LabelSelector


@pytest.mark.parametrize(
    ("operator", "values", "of_a", "of_b", "of_none"),
    [
        ("In", ["a"], True, False, False),
        ("NotIn", ["a"], False, True, True),
        ("Exists", [], True, True, False),
        ("DoesNotExist", [], False, False, True),
    ],
)
def test_each_operator(
    operator: str, values: list[str], of_a: bool, of_b: bool, of_none: bool
) -> None:
    """For labels ``zone: a``, ``zone: b`` and none ("Labels and Selectors", Set-based)."""
    asked: Any = {"matchExpressions": [{"key": "zone", "operator": operator, "values": values}]}
    selector = decode(LabelSelector, asked, "spec.podAffinity")
    found = [matches(selector, labels) for labels in ({"zone": "a"}, {"zone": "b"}, {})]
    assert found == [of_a, of_b, of_none]
