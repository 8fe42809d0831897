"""What tells two courses apart, and when the kernel's own lookup contradicts one."""

from __future__ import annotations

from dataclasses import replace

from harness.diff.compared import Compared, Taken, side_by_side
from harness.diff.courses import Choice, Course
from harness.diff.ways import Way
from harness.scenario.expectations import Outcome

ETH0 = Way("eth0", "default via 169.254.1.1 dev eth0")
BY_ETH0 = Course(
    Outcome.REPLIED,
    request=("pod.eth0", "node.cali"),
    reply=("node.cali", "pod.eth0"),
    choices=(Choice("request", "pod", "eth0", ETH0),),
)
LOST = Course(Outcome.TIMEOUT, "nothing came back", request=("pod.eth0", "node.cali"))
WAITING = Course(Outcome.TIMEOUT, "asks", choices=(Choice("request", "pod", "net1", ETH0),))


def test_a_course_is_said_in_one_line() -> None:
    assert str(BY_ETH0) == "pod.eth0 > node.cali, and back"
    other_way = replace(BY_ETH0, reply=("node.ens192", "pod.net1"))
    assert str(other_way) == "pod.eth0 > node.cali, back by node.ens192 > pod.net1"
    assert str(LOST) == "pod.eth0 > node.cali, timeout: nothing came back"
    assert str(WAITING) == "not seen to leave, timeout: asks"


def test_nics_and_answers_tell_courses_apart_and_tables_do_not() -> None:
    by_a_rule = Choice("request", "pod", "eth0", Way("eth0", "default dev eth0 table 99"))
    assert BY_ETH0.is_like(replace(BY_ETH0, choices=(by_a_rule,)))
    assert LOST.is_like(replace(LOST, outcome=Outcome.UNREACHABLE))
    assert not BY_ETH0.is_like(LOST)
    assert not BY_ETH0.is_like(replace(BY_ETH0, reply=("node.ens192", "pod.net1")))
    by_eth0 = replace(WAITING, choices=(Choice("request", "pod", "eth0", ETH0),))
    assert not WAITING.is_like(by_eth0)


def test_what_the_kernel_chose_by_chance_is_no_difference() -> None:
    both = Way("eth0", "default", equals=frozenset({"eth0", "net1"}))
    one = replace(BY_ETH0, choices=(Choice("request", "pod", "eth0", both),))
    two = replace(one, request=("pod.net1",), choices=(Choice("request", "pod", "net1", both),))
    assert one.is_like(two) and two.agrees
    alone = replace(
        two, choices=(Choice("request", "pod", "net1", replace(both, equals=frozenset())),)
    )
    assert not one.is_like(alone)


def test_a_lookup_that_is_contradicted_is_not_equal() -> None:
    wrong = replace(BY_ETH0, choices=(Choice("request", "pod", "net1", ETH0),))
    assert BY_ETH0.agrees and not wrong.agrees
    assert Compared("ADD net1", (), (Taken("a", BY_ETH0, BY_ETH0),)).is_equal
    assert not Compared("ADD net1", (), (Taken("a", wrong, wrong),)).is_equal


def test_what_left_where_the_lookup_knows_no_way_is_a_contradiction() -> None:
    nowhere = Way("", "network is unreachable")
    assert Choice("request", "pod", "", nowhere).agrees
    assert not Choice("request", "pod", "eth0", nowhere).agrees
    assert not Choice("request", "pod", "", ETH0).agrees


def test_a_probe_of_one_side_only_differs() -> None:
    (taken,) = side_by_side({"pod -> x": BY_ETH0}, {})
    assert taken.differs and taken.ours.detail == "no such address"
