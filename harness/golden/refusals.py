"""Why one side refuses an ADD that the other carries out."""

from __future__ import annotations

import re

from harness.golden.context import Side
from harness.golden.recorded import Add, Case

_THEIRS = {
    "txqueuelen-in-pod": re.compile(r"txQueueLen.*Link not found"),
    "disabled-is-disable": re.compile(r"unknown tuneMode: disabled"),
    "default-nic-may-come-later": re.compile(r"podDefaultRouteNIC: .* don't exist in pod"),
    "add-twice-is-add-once": re.compile(r"file exists"),
}
"""What upstream refuses by mistake, and what it says then."""

_HIJACKED_DEFAULT = "no-default-route-is-hijacked"

REFUSALS = (*_THEIRS, _HIJACKED_DEFAULT)


def refusal_explanation(side: Side, words: str, case: Case, add: Add) -> str:
    """An id of docs/differences.md; empty when the refusal is not explained."""
    if side is Side.THEIRS:
        return next((identity for identity, said in _THEIRS.items() if said.search(words)), "")
    networks = add.netconf.get("hijackCIDR") or case.coordinator["spec"].get("hijackCIDR") or ()
    asked = any(network.endswith("/0") for network in networks)
    return _HIJACKED_DEFAULT if asked and "hijackCIDR" in words else ""
