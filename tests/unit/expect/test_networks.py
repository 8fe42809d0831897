"""Lines as ``ip`` prints them, and NICs by attribute."""

from __future__ import annotations

from typing import Any

import pytest

from harness.expect.networks import judge_network, judge_nics, printed_lines
from harness.scenario.document import Where
from harness.scenario.expectations import NetworkHas, Table
from harness.scenario.reference import Place
from spiderpool.netlink.objects import (
    Link,
    LinkKind,
    Neighbour,
    NetState,
    Protocol,
    RouteType,
    Rule,
    Scope,
)
from spiderpool.testing.builders import address, direct, route
from spiderpool.types.address import Address, Family, Prefix
from spiderpool.types.names import LOCAL, MAIN, IfName, TableID

STATE = NetState(
    links=(Link(IfName("net1"), 5, LinkKind.MACVLAN, "2a:1e:a1:db:2a:9a", up=True),),
    addresses=(address("net1", "10.6.212.145/16"),),
    rules=(
        Rule(32766, MAIN),
        Rule(0, LOCAL),
        Rule(32760, TableID(100), source=Prefix("10.6.212.145/32")),
        Rule(32766, MAIN, family=Family.V6),
    ),
    routes=(
        route("0.0.0.0/0", "eth0", "169.254.1.1"),
        direct("10.6.0.0/16", "net1", "10.6.212.145", protocol=Protocol.KERNEL),
        route("0.0.0.0/0", "net1", "10.6.0.1", table=TableID(100)),
        route("::/0", "net1", "fd00::1", metric=1024),
        route("10.9.0.0/16", type=RouteType.BLACKHOLE),
    ),
    neighbours=(Neighbour(IfName("eth0"), Address("169.254.1.1"), "ee:ee:ee:ee:ee:ee"),),
)


def problem(
    table: Table,
    *lines: str,
    number: int = 254,
    family: int = 4,
    without: tuple[str, ...] = (),
    only: bool = False,
) -> str | None:
    has = NetworkHas(
        "id", Where("f", 1), None, Place("web"), table, number, family, lines, without, only
    )
    finding = judge_network(has, STATE, lambda text: text.replace("{web.net1}", "10.6.212.145"))
    return finding.problem if finding else None


def test_rules_are_printed_by_priority_and_family() -> None:
    assert printed_lines(STATE, Table.RULES, 0, 4) == (
        "0: from all lookup local",
        "32760: from 10.6.212.145 lookup 100",
        "32766: from all lookup main",
    )


@pytest.mark.parametrize(
    ("table", "lines", "more"),
    [
        (Table.RULES, ["32760: from {web.net1} lookup 100"], {}),
        (Table.ROUTES, ["10.6.0.0/16 dev net1 scope link  src {web.net1}"], {}),
        (Table.ROUTES, ["10.6.0.0/16 dev net1 proto kernel scope link src {web.net1}"], {}),
        (Table.ROUTES, ["default via 10.6.0.1 dev net1"], {"number": 100, "only": True}),
        (Table.ROUTES, ["default via fd00::1 dev net1"], {"family": 6}),
        (Table.NEIGHBOURS, ["169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee"], {}),
        (Table.NEIGHBOURS, ["169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee PERMANENT"], {}),
        (Table.ROUTES, ["blackhole 10.9.0.0/16"], {"without": ("default via 10.6.0.1 dev net1",)}),
    ],
)
def test_lines_that_are_there(table: Table, lines: list[str], more: dict[str, Any]) -> None:
    assert problem(table, *lines, **more) is None


@pytest.mark.parametrize(
    ("table", "lines", "more", "words"),
    [
        (
            Table.ROUTES,
            ["default via 10.6.0.1 dev net1"],
            {},
            "`ip route` of web lacks `default via 10.6.0.1 dev net1`"
            " and has `default via 169.254.1.1 dev eth0`",
        ),
        (
            Table.ROUTES,
            ["10.6.0.0/16 dev net1 scope link src {web.net1}"],
            {"number": 100},
            "`ip route show table 100` of web lacks `10.6.0.0/16 dev net1 scope link src 10.6.212",
        ),
        (Table.RULES, ["32761: from {web.net1} lookup 100"], {}, "`ip rule` of web lacks `32761:"),
        (
            Table.ROUTES,
            ["10.6.0.0/16 dev net1 proto static scope link src {web.net1}"],
            {},
            "lacks `10.6.0.0/16 dev net1 proto static",
        ),
        (
            Table.NEIGHBOURS,
            ["169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee STALE"],
            {},
            "`ip neigh` of web lacks",
        ),
        (
            Table.RULES,
            ["32766: from all lookup main"],
            {"without": ("32760: from {web.net1} lookup 100",)},
            "has `32760: from 10.6.212.145 lookup 100`, which must not be there",
        ),
        (
            Table.RULES,
            ["32766: from all lookup main"],
            {"only": True},
            "has `0: from all lookup local`, and should hold nothing but what is expected",
        ),
        (
            Table.ROUTES,
            ["default via fd00::2 dev net1"],
            {"family": 6},
            "`ip -6 route` of web lacks `default via fd00::2 dev net1` and has",
        ),
    ],
)
def test_lines_that_are_not_there(
    table: Table, lines: list[str], more: dict[str, Any], words: str
) -> None:
    assert words in (problem(table, *lines, **more) or "")


def nic_problem(**attributes: Any) -> str | None:
    nics = {attributes.pop("name", "net1"): attributes}
    finding = judge_nics(nics, "web", STATE, lambda text: text.replace("{ip}", "10.6.212.145"))
    return finding.problem if finding else None


def test_nics_are_judged_by_attribute() -> None:
    assert nic_problem(kind="macvlan", mtu=1500, up=True, addresses=["{ip}/16"]) is None
    assert nic_problem(addresses="{ip}/16", mac="2a:1e:a1:db:2a:9a", txqueuelen=1000) is None
    assert nic_problem(mtu=1400) == "mtu of web.net1 is 1500, not 1400"
    assert nic_problem(up=False) == "up of web.net1 is True, not False"
    assert nic_problem(addresses=[]) == "addresses of web.net1 is ['10.6.212.145/16'], not []"
    assert nic_problem(name="net2", up=True) == "web has no NIC net2; it has net1"
    assert nic_problem(name="net2", absent=True) is None
    assert nic_problem(absent=True) == "web has a NIC net1, which must not be there"


def test_a_bond_is_judged_by_the_member_that_it_sends_by() -> None:
    bond = Link(IfName("bond0"), 6, LinkKind.BOND, active=IfName("eth2"))
    state = NetState(links=(*STATE.links, bond))
    assert judge_nics({"bond0": {"active": "eth2"}}, "node", state, str) is None
    for nic, found in (("bond0", "'eth2'"), ("net1", "None")):
        finding = judge_nics({nic: {"active": "eth1"}}, "node", state, str)
        assert finding is not None
        assert finding.problem == f"active of node.{nic} is {found}, not 'eth1'"


def test_link_local_addresses_are_left_out() -> None:
    from dataclasses import replace

    local = replace(address("net1", "fe80::1/64"), scope=Scope.LINK)
    state = replace(STATE, addresses=(*STATE.addresses, local))
    assert judge_nics({"net1": {"addresses": ["10.6.212.145/16"]}}, "web", state, str) is None


def test_a_star_is_any_one_word() -> None:
    assert problem(Table.ROUTES, "default via * dev eth0") is None
    assert problem(Table.ROUTES, "default via * dev net2") is not None
    assert problem(Table.ROUTES, "default via *") is not None
    forbidden = problem(
        Table.ROUTES, "* dev net1 scope link src *", without=("default via * dev *",)
    )
    assert forbidden is not None and "has `default via * dev *`" in forbidden
