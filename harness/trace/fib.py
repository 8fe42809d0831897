"""Which rule and which route decide about a packet, from a dumped state. Pure.

The kernel's own answer (``ip route get fibmatch``) names the route but not the rule; the
tests hold this model against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from spiderpool.netlink.lines import as_route_line, as_rule_line
from spiderpool.netlink.lookup import Question
from spiderpool.netlink.objects import NetState, Route, RouteType, Rule
from spiderpool.types.address import contains, family_of, length_of

_TO_TABLE = 1
"""``FR_ACT_TO_TBL`` (linux/fib_rules.h)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The rule that found a route, and the route; no route when the rule itself refuses."""

    rule: Rule
    route: Route | None

    def __str__(self) -> str:
        rule = " ".join(as_rule_line(self.rule).split())
        return f"rule {rule} -> {as_route_line(self.route)}" if self.route else f"rule {rule}"


def decide(state: NetState, question: Question) -> Decision | None:
    """Go through the rules by priority and take the first route found; None without one."""
    family = family_of(question.destination)
    rules = (rule for rule in state.rules if rule.family is family and _matches(rule, question))
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if rule.action != _TO_TABLE:
            return Decision(rule, None)
        route = _best(state, rule, question)
        if route is not None and route.type is not RouteType.THROW:
            return Decision(rule, route)
    return None


def _matches(rule: Rule, question: Question) -> bool:
    if rule.source is not None and not (
        question.source is not None and contains(rule.source, question.source)
    ):
        return False
    if rule.destination is not None and not contains(rule.destination, question.destination):
        return False
    if rule.mark is not None and rule.mark != (question.mark or 0) & _mask(rule):
        return False
    return rule.iif in (None, question.iif or "lo") and rule.oif in (None, question.oif)


def _mask(rule: Rule) -> int:
    return rule.mask if rule.mask is not None else 0xFFFFFFFF


def _best(state: NetState, rule: Rule, question: Question) -> Route | None:
    """The most specific route of the rule's table, of those the one with the least metric."""
    candidates = [
        route
        for route in state.routes
        if route.table == rule.table
        and contains(route.destination, question.destination)
        and (question.oif is None or question.oif in _links(route))
    ]
    return min(
        candidates, key=lambda route: (-length_of(route.destination), route.metric), default=None
    )


def _links(route: Route) -> set[str]:
    return {leg.link for leg in route.nexthops} | ({route.link} if route.link else set())
