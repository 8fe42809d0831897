"""Policy rules (net/core/fib_rules.c): compared as a whole when added, by what is given
when deleted."""

from __future__ import annotations

import errno
from dataclasses import replace

from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import NetState, Rule


def add(state: NetState, rule: Rule) -> NetState:
    rule = rule.as_dumped
    if rule in state.rules:
        raise Refusal(errno.EEXIST)
    order = sorted((*state.rules, rule), key=lambda one: (one.family, one.priority))
    return replace(state, rules=tuple(order))


def delete(state: NetState, rule: Rule) -> NetState:
    """Remove the first rule that agrees in everything that ``rule`` gives."""
    rule = rule.as_dumped
    for candidate in state.rules:
        if _agrees(candidate, rule):
            rules = tuple(one for one in state.rules if one is not candidate)
            return replace(state, rules=rules)
    raise Refusal(errno.ENOENT)


def _agrees(candidate: Rule, wanted: Rule) -> bool:
    if (candidate.family, candidate.table, candidate.action) != (
        wanted.family,
        wanted.table,
        wanted.action,
    ):
        return False
    optional = ("source", "destination", "mark", "mask", "iif", "oif")
    return candidate.priority == wanted.priority and all(
        getattr(wanted, field) in (None, getattr(candidate, field)) for field in optional
    )
