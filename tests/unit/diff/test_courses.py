"""What tells two courses apart, and when the kernel's own lookup contradicts one."""

from __future__ import annotations

from dataclasses import replace

from harness.capture.packet import Packet
from harness.diff.compared import Compared, Taken, side_by_side
from harness.diff.courses import Choice, Course, Ground, courses
from harness.diff.ways import Way
from harness.probes.clients import Answer
from harness.scenario.expectations import Outcome, Protocol
from harness.trace.observe import Observation, Sending
from harness.trace.path import Hop, RoundTrip
from harness.trace.wires import Nic, Wires
from spiderpool.types.address import Address, Family

POD, SERVICE = Address("10.233.73.210"), Address("10.233.0.3")
ENDPOINTS = frozenset({"dns1", "dns2", "web"})

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
    alone = replace(both, equals=frozenset({"net1"}))
    assert not one.is_like(replace(two, choices=(Choice("request", "pod", "net1", alone),)))


def test_chance_in_one_decision_excuses_nothing_in_another() -> None:
    both = Way("ens192", "default", equals=frozenset({"ens192", "ens224"}))
    by_node = Choice("request", "node", "ens192", both)
    one = replace(BY_ETH0, choices=(*BY_ETH0.choices, by_node))
    lost = replace(one, outcome=Outcome.TIMEOUT, reply=())
    net1 = Choice("request", "pod", "net1", Way("net1", "default via 10.6.0.1 dev net1"))
    assert not one.is_like(lost)
    assert not one.is_like(replace(one, request=("pod.net1",), choices=(net1, by_node)))


def test_whose_mac_is_used_is_chance_when_two_nics_tell_theirs() -> None:
    rivals = ("pod.eth0", "pod.net1")
    one = Course(Outcome.REPLIED, request=("node.ens192", "pod.eth0"), rivals=rivals)
    two = replace(one, request=("node.ens192", "pod.net1"))
    assert one.is_like(two) and str(one) == "node.ens192 > pod.eth0 or pod.net1"
    assert not one.is_like(replace(two, rivals=("pod.net1",)))
    assert not one.is_like(replace(two, request=("node.cali", "pod.net1")))
    back = Course(Outcome.REPLIED, request=("pod.net1",), reply=("pod.net1",), reply_rivals=rivals)
    assert back.is_like(replace(back, reply=("pod.eth0",)))
    assert not back.is_like(replace(back, reply=("pod.eth0",), reply_rivals=("pod.eth0",)))
    assert str(back) == "pod.net1, back by pod.eth0 or pod.net1"


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


def hop(crossing: str, target: Address = SERVICE) -> Hop:
    place, _, link = crossing[:-1].partition(".")
    packet = Packet(Family.V4, POD, target, 1, icmp_type=8)
    return Hop(Nic(place, link), crossing[-1] == ">", packet)


def crossed(end: str, target: Address) -> tuple[str, ...]:
    there = (
        hop("web.eth0>"),
        hop("node.cali1<"),
        hop("node.cali2>", target),
        hop(f"{end}.eth0<", target),
    )
    sending = Sending(Protocol.ICMP, "web", SERVICE)
    answer = Answer(Outcome.TIMEOUT, "nothing came back")
    seen = Observation(sending, answer, (RoundTrip("data", there, ()),), Wires())
    ground = Ground({}, {}, frozenset({"web", "node", "dns1", "dns2"}), endpoints=ENDPOINTS)
    return courses([seen], ground)[0].request


def test_which_endpoint_a_service_chose_is_no_difference() -> None:
    for chosen in ("dns1", "dns2", "web"):
        assert crossed(chosen, POD) == ("web.eth0", "endpoint.eth0")
    assert crossed("dns1", SERVICE) == ("web.eth0", "node.cali1", "node.cali2", "dns1.eth0")


def test_a_probe_of_one_side_only_differs() -> None:
    (taken,) = side_by_side({"pod -> x": BY_ETH0}, {})
    assert taken.differs and taken.ours.detail == "it was not sent"
