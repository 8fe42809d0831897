"""The model as a fold; its agreement with the kernel is in tests/contract/netlink."""

from __future__ import annotations

import errno

import pytest

from spiderpool.errors import OperationFailed
from spiderpool.netlink.lines import as_route_line, as_rule_line
from spiderpool.netlink.model import after
from spiderpool.netlink.objects import NetState, Rule
from spiderpool.netlink.operations import AddAddress, AddRoute, AddRule, DeleteLink, DeleteRoute
from spiderpool.testing.builders import address, direct, pair, route
from spiderpool.testing.netlink import FRESH
from spiderpool.types.address import Family, Prefix
from spiderpool.types.names import IfName, TableID

T100 = TableID(100)
NET1_DEFAULT = route("0.0.0.0/0", "net1", "10.6.0.1")
POD = (
    pair("eth0", "cali0", 10),
    pair("net1", "underlay", 20),
    AddAddress(address("eth0", "10.233.73.210/32")),
    AddRoute(direct("169.254.1.1/32", "eth0")),
    AddRoute(route("0.0.0.0/0", "eth0", "169.254.1.1")),
    AddAddress(address("net1", "10.6.212.145/16")),
    AddRoute(NET1_DEFAULT),
)


def test_a_pod_of_the_acceptance_page() -> None:
    state = after(
        FRESH,
        (
            *POD,
            AddRoute(direct("10.6.212.132/32", "eth0")),
            AddRoute(route("10.233.0.0/18", "eth0", "10.6.212.132")),
            DeleteRoute(NET1_DEFAULT),
            AddRoute(route("0.0.0.0/0", "net1", "10.6.0.1", table=T100)),
            AddRule(Rule(32760, T100, source=Prefix("10.6.212.145/32"))),
        ),
    )
    assert [as_route_line(one, with_table=True) for one in state.routes] == [
        "169.254.1.1 dev eth0 scope link",
        "default via 169.254.1.1 dev eth0",
        "10.6.0.0/16 dev net1 proto kernel scope link src 10.6.212.145",
        "10.6.212.132 dev eth0 scope link",
        "10.233.0.0/18 via 10.6.212.132 dev eth0",
        "default via 10.6.0.1 dev net1 table 100",
    ]
    rules = [as_rule_line(one) for one in state.rules if one.family is Family.V4]
    assert rules[1] == "32760:\tfrom 10.6.212.145 lookup 100"


def test_the_state_before_is_untouched() -> None:
    after(FRESH, POD)
    assert [link.name for link in FRESH.links] == ["lo"]


def test_a_refusal_stops_the_fold() -> None:
    with pytest.raises(OperationFailed) as caught:
        after(FRESH, (*POD, POD[4], AddRoute(route("10.9.0.0/16", "net1", "1.1.1.1"))))
    failure = caught.value
    assert (failure.index, failure.errno) == (len(POD) + 1, errno.ENETUNREACH)
    assert failure.applied == tuple(range(len(POD)))
    assert str(failure).startswith("ip route append 10.9.0.0/16 via 1.1.1.1 dev net1: ")


def test_a_deleted_link_takes_all() -> None:
    before = after(FRESH, (POD[0], *POD[2:5]))
    state = after(before, (POD[1], *POD[5:], DeleteLink(IfName("net1"))))
    assert state == before


def test_an_empty_state_has_no_links() -> None:
    with pytest.raises(OperationFailed, match="No such device"):
        after(NetState(), (AddAddress(address("eth0", "10.0.0.1/8")),))
