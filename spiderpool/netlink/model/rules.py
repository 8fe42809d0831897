"""Policy rules (net/core/fib_rules.c): compared as a whole when added, by what is given
when deleted."""

from __future__ import annotations

import errno
from dataclasses import replace

from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import NetState, Rule

_ALL_BITS = 0xFFFFFFFF


def normal(rule: Rule) -> Rule:
    """As a dump shows it: no prefix for ``all``, no mask where it covers every bit."""
    return replace(
        rule,
        source=None if rule.source in ("0.0.0.0/0", "::/0") else rule.source,
        destination=None if rule.destination in ("0.0.0.0/0", "::/0") else rule.destination,
        mask=None if rule.mask in (0, _ALL_BITS) else rule.mask,
    )


def add(state: NetState, rule: Rule) -> NetState:
    rule = normal(rule)
    if rule in state.rules:
        raise Refusal(errno.EEXIST)
    order = sorted((*state.rules, rule), key=lambda one: (one.family, one.priority))
    return replace(state, rules=tuple(order))


def delete(state: NetState, rule: Rule) -> NetState:
    """Remove the first rule that agrees in everything that ``rule`` gives."""
    rule = normal(rule)
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
