"""Rules about states that the recorded cases at hand do not show: what each explains, and
what looks alike and is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.golden.context import Context, Side
from harness.golden.explain import explanation
from harness.golden.meaning import MAIN_VIEW, Kind, Statement
from harness.golden.recorded import Pair
from spiderpool.coordinator.config import Config, PolicyRoute
from spiderpool.netlink.lines import as_route_line
from spiderpool.netlink.objects import Link, LinkKind, NetState, Route
from spiderpool.testing.builders import address, direct, route
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import IfName

THEIRS, OURS = Side.THEIRS, Side.OURS
NODE, TUNNEL = "10.6.212.132", "10.233.73.192"

POD = NetState(
    links=(Link(IfName("eth0"), 2, LinkKind.VETH), Link(IfName("net1"), 3, LinkKind.MACVLAN)),
    addresses=(address("eth0", "10.233.73.210/32"), address("net1", "10.6.212.145/16")),
)
OUTSIDE = NetState(
    addresses=(address("tunl0", f"{TUNNEL}/32"), address("ens192", f"{NODE}/16")),
    routes=(route("0.0.0.0/0", "ens192", "10.6.0.1"),),
)
CONFIG = Config(
    overlay_pod_cidr=(Prefix("10.233.64.0/18"),),
    service_cidr=(Prefix("10.233.0.0/18"), Prefix("10.6.0.0/16")),
    policy_routes=(PolicyRoute(Prefix("10.30.0.0/16"), Address("10.6.0.9")),),
)


def says(entry: Route, view: str = MAIN_VIEW) -> Statement:
    return Statement("pod", Kind.ROUTE, view, as_route_line(entry), entry, entry.link or "")


def link(place: str, name: str, length: int) -> Statement:
    text = f"mtu 1500 txqueuelen {length} up "
    return Statement(place, Kind.LINK, name, text, link=name)


SERVICES = says(route("10.233.0.0/18", "eth0", NODE))
SERVICES_BY_TUNNEL = says(route("10.233.0.0/18", "eth0", TUNNEL))
DEFAULT = says(route("0.0.0.0/0", "eth0", "169.254.1.1"))
SECOND_DEFAULT = says(route("0.0.0.0/0", "net1", "10.6.0.1"))
FROM_ETH0 = "from 10.233.73.210"


def of(
    theirs: tuple[Statement, ...], ours: tuple[Statement, ...], config: Config = CONFIG
) -> Context:
    return Context(
        config=config,
        nic=IfName("net1"),
        attached=(IfName("net2"),),
        before=Pair(POD, OUTSIDE),
        theirs=frozenset(theirs),
        ours=frozenset(ours),
        initially=frozenset(),
        previously=frozenset(),
    )


@pytest.mark.parametrize(
    ("side", "statement", "context", "reason"),
    [
        (OURS, SERVICES, of((SERVICES_BY_TUNNEL,), (SERVICES,)), "primary-gateway"),
        (THEIRS, SERVICES_BY_TUNNEL, of((SERVICES_BY_TUNNEL,), (SERVICES,)), "primary-gateway"),
        (OURS, SERVICES_BY_TUNNEL, of((SERVICES,), (SERVICES_BY_TUNNEL,)), ""),
        (OURS, SERVICES, of((), (SERVICES,)), "main-knows-the-cluster"),
        (OURS, says(route("172.16.0.0/12", "eth0", NODE)), of((), ()), ""),
        (THEIRS, SERVICES, of((SERVICES,), ()), ""),
        (THEIRS, SECOND_DEFAULT, of((SECOND_DEFAULT,), (DEFAULT,)), "one-default-in-main"),
        (THEIRS, SECOND_DEFAULT, of((SECOND_DEFAULT,), ()), ""),
        (OURS, SECOND_DEFAULT, of((DEFAULT,), (SECOND_DEFAULT,)), ""),
        (
            THEIRS,
            says(route("10.6.0.0/16", "eth0", NODE)),
            of((), ()),
            "connected-network-stays",
        ),
        (THEIRS, says(route("10.9.0.0/16", "eth0", NODE)), of((), ()), ""),
        (OURS, says(route("10.6.0.0/16", "eth0", "10.6.0.9")), of((), ()), ""),
        (THEIRS, says(direct("10.6.0.0/16", "net1"), FROM_ETH0), of((), ()), "own-table-per-nic"),
        (OURS, says(direct("10.6.0.0/16", "net1"), FROM_ETH0), of((), ()), ""),
        (THEIRS, says(direct(f"{TUNNEL}/32", "eth0")), of((), ()), "node-address-in-cluster"),
        (THEIRS, says(direct("10.233.73.193/32", "eth0")), of((), ()), ""),
        (OURS, says(direct(f"{TUNNEL}/32", "net1")), of((), ()), ""),
    ],
)
def test_routes(side: Side, statement: Statement, context: Context, reason: str) -> None:
    assert explanation(side, statement, context) == reason


def test_policy_routes_are_in_main_where_nothing_else_leads_to_them() -> None:
    policy = says(route("10.30.0.0/16", "net1", "10.6.0.9"))
    untuned = of((), (policy,), replace(CONFIG, tune_pod_routes=False))
    assert explanation(OURS, policy, untuned) == "policy-routes-take-effect"
    assert explanation(OURS, policy, of((), (policy,))) == ""
    elsewhere = says(route("10.30.0.0/16", "net1", "10.6.0.8"))
    assert explanation(OURS, elsewhere, untuned) == ""


def test_the_queue_of_the_pods_link_is_set_and_not_of_the_nodes() -> None:
    config = replace(CONFIG, tx_queue_len=2000)
    theirs = (link("pod", "net1", 1000), link("node", "net1", 2000))
    ours = (link("pod", "net1", 2000), link("node", "net1", 1000))
    context = of(theirs, ours, config)
    for side, statements in ((THEIRS, theirs), (OURS, ours)):
        for statement in statements:
            assert explanation(side, statement, context) == "txqueuelen-in-pod"
    swapped = of(ours, theirs, config)
    assert explanation(OURS, theirs[0], swapped) == ""
    assert explanation(OURS, link("pod", "net1", 3000), context) == ""
