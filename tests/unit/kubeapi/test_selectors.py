"""Label and field selectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kubeapi.label_selectors import label_predicate
from harness.kubeapi.selectors import (
    field_predicate,
    selector_predicate,
    selector_text,
)
from harness.kubeapi.status import ApiError

KEYS = st.sampled_from(["a", "b", "example.com/c"])
VALUES = st.sampled_from(["", "1", "2", "x-y"])
LABELS = st.dictionaries(KEYS, VALUES)


@given(LABELS, KEYS, VALUES)
def test_equality_and_inequality_are_opposites(
    labels: dict[str, str], key: str, value: str
) -> None:
    assert label_predicate(f"{key}={value}")(labels) is not label_predicate(f"{key}!={value}")(
        labels
    )


@given(LABELS, KEYS, st.lists(VALUES, min_size=1))
def test_in_and_notin_are_opposites(labels: dict[str, str], key: str, values: list[str]) -> None:
    listed = ",".join(values)
    inside = label_predicate(f"{key} in ({listed})")(labels)
    assert inside is (labels.get(key) in values)
    assert label_predicate(f"{key} notin ({listed})")(labels) is not inside


@given(LABELS, KEYS)
def test_presence_and_absence_are_opposites(labels: dict[str, str], key: str) -> None:
    assert label_predicate(key)(labels) is (key in labels)
    assert label_predicate(f"!{key}")(labels) is (key not in labels)


@given(st.dictionaries(KEYS, VALUES), LABELS)
def test_text_of_a_selector_means_the_selector(
    wanted: dict[str, str], labels: dict[str, str]
) -> None:
    selector = {"matchLabels": wanted}
    assert label_predicate(selector_text(selector))(labels) is selector_predicate(selector)(labels)


@pytest.mark.parametrize("text", ["a b", "=", "a=b,,c=d", "a in (b", "!", "a>x", "a=b=c", ",a"])
def test_texts_that_are_no_selector(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        label_predicate(text)
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("In", ["1"], True),
        ("NotIn", ["1"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ],
)
def test_expressions(operator: str, values: list[str], expected: bool) -> None:
    expression = {"key": "a", "operator": operator, "values": values}
    assert selector_predicate({"matchExpressions": [expression]})({"a": "1"}) is expected


def test_fields_compare_as_text() -> None:
    obj = {"metadata": {"name": "a"}, "spec": {"hostNetwork": True, "nodeName": "n"}}
    selectable = ("spec.hostNetwork", "spec.nodeName", "spec.missing")
    assert field_predicate("spec.hostNetwork=true,metadata.name==a", selectable)(obj)
    assert field_predicate("spec.missing=", selectable)(obj)
    assert not field_predicate("spec.nodeName!=n", selectable)(obj)
