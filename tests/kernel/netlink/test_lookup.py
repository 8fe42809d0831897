"""Asking the kernel for its choice."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from spiderpool.errors import OperationFailed
from spiderpool.netlink.apply import apply
from spiderpool.netlink.kernel import Kernel
from spiderpool.netlink.lookup import Question, ask_all, route_get
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import RouteType, Rule
from spiderpool.netlink.operations import AddAddress, AddRoute, AddRule, SetSysctl
from spiderpool.testing.builders import address, direct, pair, route, up
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import IfName, TableID

pytestmark = pytest.mark.kernel

T100 = TableID(100)
OUTSIDE = Address("10.7.212.101")
NET1 = Address("10.6.212.145")


@pytest.fixture
def pod(netns: Namespace) -> Iterator[Kernel]:
    """Default by eth0 in main, by net1 in table 100 for net1's address and for mark 1."""
    plan = (
        SetSysctl("ipv6/conf/default/accept_dad", "0"),
        SetSysctl("ipv4/ip_forward", "1"),
        up("lo"),
        pair("eth0", "peer0", 10),
        up("peer0"),
        pair("net1", "peer1", 20),
        up("peer1"),
        AddAddress(address("eth0", "10.233.73.210/32")),
        AddAddress(address("net1", f"{NET1}/16")),
        AddAddress(address("net1", "fd06::145/64")),
        AddRoute(direct("169.254.1.1/32", "eth0")),
        AddRoute(route("0.0.0.0/0", "eth0", "169.254.1.1")),
        AddRoute(route("0.0.0.0/0", "net1", "10.6.0.1", table=T100)),
        AddRoute(route("::/0", "net1", "fd06::1")),
        AddRoute(route("10.99.0.0/16", type=RouteType.PROHIBIT)),
        AddRoute(route("10.98.0.0/16", type=RouteType.UNREACHABLE)),
        AddRule(Rule(32760, T100, source=Prefix(f"{NET1}/32"))),
        AddRule(Rule(1000, T100, mark=1)),
    )
    with Kernel(netns) as kernel:
        apply(kernel, plan)
        yield kernel


def test_the_decision(pod: Kernel) -> None:
    found = route_get(pod, OUTSIDE)
    assert (found.destination, found.link, found.gateway) == (
        "10.7.212.101/32",
        "eth0",
        "169.254.1.1",
    )
    assert (found.source, found.table) == ("10.233.73.210", 254)


def test_source_and_mark_lead_to_another_table(pod: Kernel) -> None:
    for found in (route_get(pod, OUTSIDE, NET1), route_get(pod, OUTSIDE, mark=1)):
        assert (found.link, found.gateway, found.table) == ("net1", "10.6.0.1", 100)


def test_the_entry_that_decided(pod: Kernel) -> None:
    assert route_get(pod, OUTSIDE, NET1, fib_match=True) == route(
        "0.0.0.0/0", "net1", "10.6.0.1", table=T100
    )
    assert route_get(pod, Address("fd77::1"), fib_match=True) == route(
        "::/0", "net1", "fd06::1", metric=1024
    )
    near = route_get(pod, Address("10.6.0.9"), fib_match=True)
    assert (near.destination, near.link) == ("10.6.0.0/16", "net1")


def test_an_address_of_our_own(pod: Kernel) -> None:
    found = route_get(pod, NET1)
    assert (found.type, found.link, found.table) == (RouteType.LOCAL, "lo", 255)


def test_by_a_link(pod: Kernel) -> None:
    assert route_get(pod, Address("10.6.0.9"), oif=IfName("net1")).link == "net1"
    forwarded = route_get(pod, OUTSIDE, Address("10.6.0.9"), iif=IfName("net1"))
    assert forwarded.link == "eth0"


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (Question(Address("10.99.0.1")), errno.EACCES),
        (Question(Address("10.98.0.1")), errno.EHOSTUNREACH),
        (Question(OUTSIDE, oif=IfName("gone")), errno.ENODEV),
        (Question(Address("10.99.0.1"), Address("10.233.73.210"), 2), errno.EACCES),
    ],
)
def test_no_way(pod: Kernel, question: Question, code: int) -> None:
    (answer,) = ask_all(pod, [question])
    assert isinstance(answer, OperationFailed)
    assert answer.errno == code
    assert str(answer).startswith(f"ip route get {question.destination}")


def test_many_at_once(pod: Kernel) -> None:
    questions = [Question(Address(f"10.6.{i // 250}.{i % 250 + 1}")) for i in range(300)]
    questions += [Question(Address("10.99.0.1"))] * 2 + questions[:1]
    answers = ask_all(pod, questions)
    hosts = [one.destination for one in answers if not isinstance(one, OperationFailed)]
    assert hosts == [f"{q.destination}/32" for q in (*questions[:300], questions[0])]
    assert [isinstance(one, OperationFailed) for one in answers].count(True) == 2


def test_by_namespace(pod: Kernel) -> None:
    assert route_get(pod.namespace, OUTSIDE).link == "eth0"
    with pytest.raises(OperationFailed):
        route_get(pod.namespace, Address("10.99.0.1"))
