"""Rules by priority, then the most specific route: which line decides."""

from __future__ import annotations

import pytest

from harness.trace.fib import decide
from spiderpool.netlink.lookup import Question
from spiderpool.netlink.objects import NetState, RouteType, Rule
from spiderpool.testing.builders import route
from spiderpool.types.address import Address, Family, Prefix
from spiderpool.types.names import MAIN, IfName, TableID

NET1 = Address("10.6.212.145")
PAGE = NetState(
    rules=(
        Rule(32766, MAIN),
        Rule(32760, TableID(100), source=Prefix(f"{NET1}/32")),
        Rule(32766, MAIN, family=Family.V6),
    ),
    routes=(
        route("0.0.0.0/0", "eth0", "169.254.1.1"),
        route("10.6.0.0/16", "net1"),
        route("10.6.212.132/32", "eth0"),
        route("0.0.0.0/0", "net1", "10.6.0.1", table=TableID(100)),
        route("0.0.0.0/0", "eth0", "10.6.0.9", table=TableID(100), metric=50),
        route("::/0", "net1", "fd00::1"),
    ),
)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (
            Question(Address("10.7.212.101")),
            "rule 32766: from all lookup main -> default via 169.254.1.1 dev eth0",
        ),
        (
            Question(Address("10.7.212.101"), NET1),
            f"rule 32760: from {NET1} lookup 100 -> default via 10.6.0.1 dev net1",
        ),
        (
            Question(Address("10.6.212.132")),
            "rule 32766: from all lookup main -> 10.6.212.132 dev eth0",
        ),
        (
            Question(Address("10.6.212.132"), oif=IfName("net1")),
            "rule 32766: from all lookup main -> 10.6.0.0/16 dev net1",
        ),
        (
            Question(Address("fd01::1")),
            "rule 32766: from all lookup main -> default via fd00::1 dev net1",
        ),
    ],
)
def test_the_deciding_line(question: Question, sentence: str) -> None:
    assert str(decide(PAGE, question)) == sentence


def test_nothing_decides_without_a_route() -> None:
    assert decide(NetState(rules=PAGE.rules), Question(Address("10.7.212.101"))) is None


def test_a_rule_can_refuse_by_itself() -> None:
    state = NetState(rules=(Rule(5, TableID(0), action=8), *PAGE.rules), routes=PAGE.routes)
    assert str(decide(state, Question(Address("10.7.212.101")))) == "rule 5: from all prohibit"


def test_throw_leads_to_the_next_rule() -> None:
    thrown = route("10.7.0.0/16", table=TableID(100), type=RouteType.THROW)
    state = NetState(rules=PAGE.rules, routes=(thrown, *PAGE.routes))
    decision = decide(state, Question(Address("10.7.212.101"), NET1))
    assert decision is not None
    assert decision.rule.priority == 32766


@pytest.mark.parametrize(
    ("mark", "mask", "given", "matches"),
    [(1, None, 1, True), (1, None, 3, False), (1, 1, 3, True), (1, None, None, False)],
)
def test_marks(mark: int, mask: int | None, given: int | None, *, matches: bool) -> None:
    state = NetState(
        rules=(Rule(5, TableID(100), mark=mark, mask=mask), *PAGE.rules), routes=PAGE.routes
    )
    decision = decide(state, Question(Address("10.7.212.101"), mark=given))
    assert decision is not None
    assert (decision.rule.priority == 5) is matches
