"""Why one side refuses an ADD that the other carries out."""

from __future__ import annotations

import re

from harness.golden.context import Side

_THEIRS = {
    "txqueuelen-in-pod": re.compile(r"txQueueLen.*Link not found"),
    "disabled-is-disable": re.compile(r"unknown tuneMode: disabled"),
    "default-nic-may-come-later": re.compile(r"podDefaultRouteNIC: .* don't exist in pod"),
    "add-twice-is-add-once": re.compile(r"file exists"),
}
"""What upstream refuses by mistake, and what it says then."""


def refusal_explanation(side: Side, words: str) -> str:
    """An id of docs/differences.md; empty when the refusal is not explained."""
    if side is Side.OURS:
        return ""
    return next((identity for identity, said in _THEIRS.items() if said.search(words)), "")


REFUSALS = tuple(_THEIRS)
