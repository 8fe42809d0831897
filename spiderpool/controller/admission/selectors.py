"""Rules of label selectors (Kubernetes "Labels and Selectors", Syntax and character set)."""

from __future__ import annotations

import re

from spiderpool.controller.admission.findings import Findings
from spiderpool.types.metadata import LabelSelector, Operator

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*")
_LETTERS = "at most 63 letters, digits, '-', '_' and '.', the first and last no punctuation"


def check_selector(selector: LabelSelector, field: str, found: Findings) -> None:
    """One that can match: keys and values are as labels have them."""
    for key, value in selector.match_labels.items():
        _check_key(key, f"{field}.matchLabels", found)
        _check_value(value, f"{field}.matchLabels[{key!r}]", found)
    for index, requirement in enumerate(selector.match_expressions):
        path = f"{field}.matchExpressions[{index}]"
        _check_key(requirement.key, f"{path}.key", found)
        for number, value in enumerate(requirement.values):
            _check_value(value, f"{path}.values[{number}]", found)
        needs_values = requirement.operator in (Operator.IN, Operator.NOT_IN)
        if needs_values is not bool(requirement.values):
            word = "needs" if needs_values else "must not have"
            where = f"{path}.values"
            problem = f"operator {requirement.operator} {word} values"
            found.refuse(where, problem, "In and NotIn take them, Exists and DoesNotExist do not")


def _check_key(key: str, where: str, found: Findings) -> None:
    prefix, slash, name = key.rpartition("/")
    is_prefixed = _SUBDOMAIN.fullmatch(prefix) and len(prefix) <= 253
    if not LABEL_VALUE.fullmatch(name) or (slash and not is_prefixed):
        remedy = f"use {_LETTERS}, perhaps after a DNS name and '/'"
        found.refuse(where, f"{key!r} is no key of a label", remedy)


def _check_value(value: str, where: str, found: Findings) -> None:
    if value and not LABEL_VALUE.fullmatch(value):
        found.refuse(where, f"{value!r} is no value of a label", f"use {_LETTERS}")
