"""Label selectors (Kubernetes "Labels and Selectors", set-based requirements)."""

from __future__ import annotations

from collections.abc import Mapping

from spiderpool.types.metadata import LabelSelector, Operator, Requirement


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether every label and every expression holds; an empty selector matches all."""
    exact = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return exact and all(_holds(item, labels) for item in selector.match_expressions)


def _holds(item: Requirement, labels: Mapping[str, str]) -> bool:
    match item.operator:
        case Operator.IN:
            return labels.get(item.key) in item.values
        case Operator.NOT_IN:
            return labels.get(item.key) not in item.values
        case Operator.EXISTS:
            return item.key in labels
        case Operator.DOES_NOT_EXIST:
            return item.key not in labels
