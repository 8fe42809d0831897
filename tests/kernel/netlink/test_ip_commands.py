"""Our messages, our commands and our lines mean what iproute2 says that they mean."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from spiderpool.netlink.apply import apply
from spiderpool.netlink.dump import dump
from spiderpool.netlink.lines import (
    as_address_line,
    as_neighbour_line,
    as_route_line,
    as_rule_line,
)
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import LinkAddress, LinkKind, RouteType, Rule, Scope
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteAddress,
    DeleteLink,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    Operation,
    SetNeighbour,
    SetSysctl,
)
from spiderpool.netlink.selection import Selection
from spiderpool.netlink.text import as_command
from spiderpool.testing.builders import (
    address,
    direct,
    down,
    known_mac,
    leg,
    neighbour,
    pair,
    route,
    up,
)
from spiderpool.testing.namespaces import new_namespace
from spiderpool.types.address import Address, Family, InterfaceAddress, Prefix
from spiderpool.types.names import IfName, TableID

pytestmark = [pytest.mark.kernel, pytest.mark.binary("ip"), pytest.mark.binary("sysctl")]

T100 = TableID(100)
DETECT_NO_DUPLICATES = SetSysctl("ipv6/conf/default/accept_dad", "0")
NET = (
    pair("eth0", "peer0", 10),
    up("peer0"),
    pair("net1", "peer1", 20),
    up("peer1"),
    AddAddress(address("eth0", "10.1.0.2/16")),
    AddAddress(address("net1", "fd06::2/64")),
)
PLANS: dict[str, Sequence[Operation]] = {
    "links": (
        up("lo"),
        CreateLink(IfName("br0"), LinkKind.BRIDGE, index=50, mac=known_mac(50), mtu=1400, up=True),
        ChangeLink(IfName("eth0"), master=IfName("br0"), mtu=1300, txqueuelen=7),
        ChangeLink(IfName("net1"), mac=known_mac(99)),
        CreateLink(
            IfName("mv0"), LinkKind.MACVLAN, index=51, mac=known_mac(51), parent=IfName("net1")
        ),
        down("peer1"),
        DeleteLink(IfName("mv0")),
    ),
    "names that a shell would take apart": (
        CreateLink(IfName("x;$(y)'&"), LinkKind.BRIDGE, index=50, mac=known_mac(50), up=True),
        AddAddress(address("x;$(y)'&", "10.5.0.1/16")),
        CreateLink(IfName("type"), LinkKind.BRIDGE, index=51, mac=known_mac(51), up=True),
        AddRoute(direct("10.7.0.0/16", "type")),
    ),
    "addresses": (
        AddAddress(
            LinkAddress(
                IfName("eth0"),
                InterfaceAddress("10.3.0.1/24"),
                Scope.LINK,
                broadcast=Address("10.3.0.255"),
            )
        ),
        AddAddress(address("eth0", "10.1.0.3/16")),
        AddAddress(address("eth0", "fd01::3/64", no_prefix_route=True)),
        AddAddress(address("net1", "fd06::9/128")),
        DeleteAddress(address("net1", "fd06::2/64")),
    ),
    "routes": (
        AddRoute(route("0.0.0.0/0", "eth0", "10.1.0.1")),
        AddRoute(direct("10.2.0.0/16", "net1", src="10.1.0.2", metric=7)),
        AddRoute(route("10.2.0.0/16", "net1", protocol=4)),
        AddRoute(route("10.4.0.0/16", "net1", "10.99.0.1", on_link=True, table=T100)),
        AddRoute(route("10.5.0.0/16", "eth0", "10.1.0.9", table=TableID(5000), protocol=98)),
        AddRoute(route("10.6.0.0/16", nexthops=(leg("eth0", "10.1.0.1"), leg("eth0", "10.1.0.4")))),
        AddRoute(route("10.7.0.0/16", type=RouteType.BLACKHOLE)),
        AddRoute(route("10.8.0.0/16", type=RouteType.UNREACHABLE, table=T100)),
        AddRoute(replace(direct("10.9.0.9/32", "eth0"), type=RouteType.LOCAL, scope=Scope.HOST)),
        AddRoute(route("::/0", "net1", "fd06::1")),
        AddRoute(route("fd09::/16", "eth0", metric=3, table=T100)),
        AddRoute(route("fd0a::/16", type=RouteType.PROHIBIT)),
        AddRoute(route("fd0b::1/128", "net1", "fd06::1", src="fd06::2")),
        AddRoute(route("10.50.0.0/16", "eth0", "10.1.0.1")),
        DeleteRoute(route("10.50.0.0/16", "eth0", "10.1.0.1")),
        AddRoute(direct("10.51.0.0/16", "eth0", table=T100)),
        DeleteRoute(direct("10.51.0.0/16", "eth0", table=T100)),
    ),
    "rules": (
        AddRule(Rule(32760, T100, source=Prefix("10.6.212.145/32"))),
        AddRule(Rule(1000, TableID(500))),
        AddRule(Rule(1001, T100, mark=0x10, mask=0xF0)),
        AddRule(Rule(1002, T100, mark=1, iif=IfName("eth0"), oif=IfName("lo"))),
        AddRule(Rule(1003, T100, Family.V6, source=Prefix("fd06::2/128"))),
        AddRule(Rule(1004, TableID(254), destination=Prefix("10.0.0.0/8"))),
        AddRule(Rule(1005, T100, source=Prefix("10.7.0.0/16"))),
        DeleteRule(Rule(1005, T100, source=Prefix("10.7.0.0/16"))),
    ),
    "neighbours": (
        SetNeighbour(neighbour("eth0", "10.1.0.1")),
        SetNeighbour(neighbour("net1", "fd06::1")),
        SetNeighbour(neighbour("net1", "fd06::1", known_mac(3))),
        SetNeighbour(neighbour("eth0", "10.1.0.7", proxy=True)),
        SetNeighbour(neighbour("eth0", "10.1.0.8")),
        DeleteNeighbour(neighbour("eth0", "10.1.0.8")),
        SetNeighbour(neighbour("eth0", "10.1.0.9", proxy=True)),
        DeleteNeighbour(neighbour("eth0", "10.1.0.9", proxy=True)),
    ),
    "sysctls": (SetSysctl("ipv4/conf/eth0/rp_filter", "2"),),
}
SELECTION = Selection(sysctls=("ipv4/conf/eth0/rp_filter",))


def run(namespace: Namespace, command: str) -> str:
    with namespace.entered():
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def without_link_locals(netns: Namespace) -> list[object]:
    state = dump(netns, SELECTION)
    things = (*state.addresses, *state.rules, *state.routes, *state.neighbours)
    return [*state.links, *(thing for thing in things if "fe80:" not in str(thing)), state.sysctls]


@pytest.mark.parametrize("case", PLANS)
def test_a_command_does_what_the_message_does(case: str, netns: Namespace) -> None:
    apply(netns, (DETECT_NO_DUPLICATES, *NET, *PLANS[case]))
    with new_namespace() as reference:
        apply(reference, (DETECT_NO_DUPLICATES, *NET))
        run(reference, "; ".join(f"{as_command(operation)}" for operation in PLANS[case]))
        assert without_link_locals(netns) == without_link_locals(reference)


@pytest.mark.parametrize("family", list(Family))
def test_lines_are_those_of_ip(family: Family, netns: Namespace) -> None:
    plans = [PLANS[case] for case in ("routes", "rules", "neighbours", "addresses")]
    apply(netns, (DETECT_NO_DUPLICATES, *NET, *(step for plan in plans for step in plan)))
    state = dump(netns)
    ip = "ip -6" if family is Family.V6 else "ip -4"
    rules = [as_rule_line(rule) for rule in state.rules if rule.family is family]
    assert rules == lines(run(netns, f"{ip} rule"))
    every = [as_route_line(one, with_table=True) for one in state.routes if one.family is family]
    printed = lines(run(netns, f"{ip} route show table all"))
    assert settled("\n".join(every).split("\n")) == settled(
        line for line in printed if " table local " not in line
    )
    known = [as_neighbour_line(one) for one in state.neighbours if one.family is family]
    shown = lines(run(netns, f"{ip} neigh")) + lines(run(netns, f"{ip} neigh show proxy"))
    assert sorted(known) == sorted(shown)
    own = [as_address_line(one) for one in state.addresses if one.family is family]
    addresses, shown = settled(own), settled(lines(run(netns, f"{ip} addr")))
    listed = [line for line in shown if line.startswith("inet")]
    assert [line.removesuffix(f" {line.split()[-1]}") for line in addresses] == [
        " ".join(word for word in line.split() if word not in ("eth0", "net1", "peer0", "peer1"))
        for line in listed
    ]


def settled(printed: Iterable[str]) -> list[str]:
    """Without link-local addresses and their routes: the kernel adds them when it likes."""
    return [line for line in printed if "fe80:" not in line]


def lines(output: str) -> list[str]:
    """Without indentation, trailing blanks, and what our lines leave out."""
    output = output.replace(" pref medium", "").replace("fd0a::/16 dev lo", "fd0a::/16")
    return [line.rstrip().removeprefix("    ") for line in output.splitlines()]
