"""Selectors that no label can ever match."""

from __future__ import annotations

from typing import Any

import pytest

from spiderpool.controller.admission.findings import Cluster, Request
from spiderpool.controller.admission.review import judge

POOL = {"subnet": "10.6.0.0/16", "ips": ["10.6.0.5"]}
FIELDS = ("podAffinity", "namespaceAffinity", "nodeAffinity")


def problems(field: str, selector: dict[str, Any]) -> list[str]:
    pool = {"metadata": {"name": "a"}, "spec": POOL | {field: selector}}
    found = judge("spiderippools", Request(None, pool), Cluster())
    return [str(problem) for problem in found.problems]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ["not ok!", "-a", "a.", "a" * 64])
def test_what_is_no_label_is_refused_with_its_place(field: str, value: str) -> None:
    (problem,) = problems(field, {"matchLabels": {"app": value}})
    assert problem.startswith(f"spec.{field}.matchLabels['app']: {value!r} is no value of a label")
    (problem,) = problems(field, {"matchLabels": {value: "x"}})
    assert problem.startswith(f"spec.{field}.matchLabels: {value!r} is no key of a label; use at ")
    inside = {"key": f"A_b/{value}", "operator": "In", "values": ["x", value]}
    found = problems(field, {"matchExpressions": [inside]})
    assert [problem.partition(":")[0] for problem in found] == [
        f"spec.{field}.matchExpressions[0].key",
        f"spec.{field}.matchExpressions[0].values[1]",
    ]


@pytest.mark.parametrize("key", ["app", "example.com/App_1.x", "a" * 63, "a.b-c.d/x"])
@pytest.mark.parametrize("value", ["", "web", "Web_1.x-y", "a" * 63])
def test_what_labels_have_is_taken(key: str, value: str) -> None:
    assert problems("podAffinity", {"matchLabels": {key: value}}) == []
