"""The coordinator's old mistakes, as pure rewrites of what it has made: state -> operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from spiderpool.netlink.objects import Neighbour, NetState, Protocol, Route, RouteType, Rule
from spiderpool.netlink.operations import (
    AddRoute,
    AddRule,
    ChangeLink,
    DeleteAddress,
    DeleteRoute,
    DeleteRule,
    Operation,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.types.address import Family, Prefix, family_of
from spiderpool.types.names import MAIN, IfName, TableID

Rewrite = Callable[[NetState], Iterator[Operation]]
_VETH = IfName("veth0")
_WRONG_MAC = "02:00:00:00:00:99"


def at_once(state: NetState) -> bool:
    """Nothing else has to happen."""
    return True


@dataclass(frozen=True)
class Mutant:
    """``rewrite`` is of the state of ``place``, a pod by the scenario's name for it, or a node.

    ``caught`` are the expectations of ``scenario`` that must fail with it, and one at least of
    ``caught_by_one_of``. Some work only once something else has happened: ``works_once`` says
    when.
    """

    name: str
    scenario: str
    place: str
    rewrite: Rewrite
    caught: tuple[str, ...] = ()
    caught_by_one_of: tuple[str, ...] = ()
    works_once: Callable[[NetState], bool] = at_once


def without_rules(*priorities: int) -> Rewrite:
    """No rule of these priorities."""

    def rewrite(state: NetState) -> Iterator[Operation]:
        yield from (DeleteRule(rule) for rule in state.rules if rule.priority in priorities)

    return rewrite


def rule_leads_to(priority: int, table: int) -> Rewrite:
    """The rule of a NIC leads to another NIC's table: tables by counting links."""

    def rewrite(state: NetState) -> Iterator[Operation]:
        for rule in _with_priority(state, priority):
            yield DeleteRule(rule)
            yield AddRule(replace(rule, table=TableID(table)))

    return rewrite


def routes_moved(table: int, to: int) -> Rewrite:
    """The routes of one table are in another: a route object used again."""

    def rewrite(state: NetState) -> Iterator[Operation]:
        there = {route.destination for route in state.routes if route.table == to}
        for route in _of_table(state, table):
            yield DeleteRoute(route)
            if route.destination not in there:
                yield AddRoute(replace(route, table=TableID(to)))

    return rewrite


def without_routes_to(*prefixes: str, table: int) -> Rewrite:
    """A table without the cluster's routes."""

    def rewrite(state: NetState) -> Iterator[Operation]:
        doomed = {Prefix(prefix) for prefix in prefixes}
        yield from (DeleteRoute(r) for r in _of_table(state, table) if r.destination in doomed)

    return rewrite


def default_not_moved(family: Family, first: int = 99) -> Rewrite:
    """main's default is the first NIC's, whatever the pod asked for."""

    def rewrite(state: NetState) -> Iterator[Operation]:
        defaults = [route for route in state.routes if route.is_default and route.family is family]
        yield from (DeleteRoute(route) for route in defaults if route.table == MAIN)
        yield from (AddRoute(replace(r, table=MAIN)) for r in defaults if r.table == first)

    return rewrite


def untuned(family: Family) -> Rewrite:
    """The NIC of the default route was not found: no rules, and all defaults in main."""

    def rewrite(state: NetState) -> Iterator[Operation]:
        ours = (rule for rule in state.rules if 0 < rule.priority < 32766)
        yield from (DeleteRule(rule) for rule in ours if rule.family is family)
        defaults = [route for route in state.routes if route.is_default and route.family is family]
        yield from (DeleteRoute(route) for route in defaults if route.table == MAIN)
        yield from (AddRoute(replace(r, table=MAIN)) for r in defaults if r.table == 100)
        yield from (
            AddRoute(replace(r, table=MAIN, metric=2048)) for r in defaults if r.table == 99
        )

    return rewrite


def replies_not_marked(state: NetState) -> Iterator[Operation]:
    """What comes in by veth0 is forgotten to have come so."""
    yield UnmarkReplies(_VETH)


def strict(state: NetState) -> Iterator[Operation]:
    """rp_filter was set on the node, and the pod's stayed as it was born."""
    yield SetSysctl("ipv4/conf/all/rp_filter", "1")


def wrong_neighbours(state: NetState) -> Iterator[Operation]:
    """Permanent entries with a MAC that nobody has."""
    for entry in state.neighbours:
        if entry.permanent and not entry.proxy and family_of(entry.address) is Family.V4:
            yield SetNeighbour(Neighbour(entry.link, entry.address, _WRONG_MAC))


def renamed_by_systemd(state: NetState) -> Iterator[Operation]:
    """The veth's MAC changes after the neighbour entries were made for it."""
    yield ChangeLink(_VETH, mac=_WRONG_MAC)


def no_address_on_veth0(state: NetState) -> Iterator[Operation]:
    """veth0 without an address that a REDIRECT could take; the kernel takes the link's routes
    with the last address, so they are made again."""
    yield from map(DeleteAddress, state.addresses_of(_VETH, Family.V4))
    routes = [r for r in state.routes if r.link == _VETH and r.family is Family.V4]
    unicast = [route for route in routes if route.type is RouteType.UNICAST]
    yield from map(AddRoute, sorted(unicast, key=lambda route: route.gateway is not None))


def any_nic_answers(state: NetState) -> Iterator[Operation]:
    """Each NIC answers ARP for all addresses of the pod; whose answer counts is a race."""
    for nic in ("net1", "net2"):
        yield SetSysctl(f"ipv4/conf/{nic}/arp_ignore", "0")
        yield SetSysctl(f"ipv4/conf/{nic}/arp_announce", "0")


def listens(state: NetState) -> Iterator[Operation]:
    """net1 hears what routers advertise, as every link that is born."""
    yield SetSysctl("ipv6/conf/net1/accept_ra", "1")


def has_heard(state: NetState) -> bool:
    """Whether a router's word has arrived on net1."""
    return any(route.protocol == Protocol.RA and route.link == "net1" for route in state.routes)


def _with_priority(state: NetState, priority: int) -> list[Rule]:
    return [rule for rule in state.rules if rule.priority == priority]


def _of_table(state: NetState, table: int) -> list[Route]:
    return [route for route in state.routes if route.table == table]


MUTANTS = (
    Mutant(
        "any NIC answers for any address",
        "regressions/arp-answered-by-another-nic",
        "web",
        any_nic_answers,
        caught_by_one_of=("neighbour-into-net1", "neighbour-into-net2"),
    ),
    Mutant(
        "net1 listens to routers",
        "regressions/default-route-advertised-on-net1",
        "web",
        listens,
        ("outside[web]",),
        works_once=has_heard,
    ),
    Mutant(
        "net1 without IPv6 listens to routers",
        "regressions/default-route-advertised-on-net1",
        "four",
        listens,
        ("outside[four]", "node-without-ipv6-on-net1"),
        works_once=has_heard,
    ),
    Mutant(
        "eth0 has no rule",
        "regressions/reply-of-eth0-by-net1",
        "web",
        without_rules(32761),
        ("other-node", "node-port-of-the-other-node", "node-port-that-keeps-the-client"),
    ),
    Mutant(
        "net3's rule leads to the table that counting links gives",
        "regressions/table-of-another-nic",
        "web",
        rule_leads_to(32758, 101),
        ("out-of-net3",),
    ),
    Mutant(
        "net2's rule leads to net1's table",
        "regressions/table-of-another-nic",
        "web",
        rule_leads_to(32759, 100),
        ("out-of-net2",),
    ),
    Mutant(
        "net1's routes are in net2's table",
        "regressions/table-of-another-nic",
        "web",
        routes_moved(100, 101),
        ("into-net1", "out-of-net1"),
    ),
    Mutant(
        "no default NIC is found in IPv6",
        "regressions/default-nic-not-found-in-ipv6",
        "web",
        untuned(Family.V6),
        ("outside", "neighbour-into-eth0[web]"),
    ),
    Mutant(
        "the default stays with eth0 in IPv6",
        "regressions/default-nic-not-found-in-ipv6",
        "moved",
        default_not_moved(Family.V6),
        ("outside-with-moved-default",),
    ),
    Mutant(
        "marked replies have no rule",
        "regressions/service-reply-not-by-veth0",
        "web",
        without_rules(1000),
        ("node-port-of-a-neighbour", "node-port-of-a-host-from-afar"),
    ),
    Mutant(
        "replies are not marked",
        "regressions/service-reply-not-by-veth0",
        "web",
        replies_not_marked,
        ("node-port-of-a-neighbour", "node-port-of-a-host-from-afar"),
    ),
    Mutant(
        "rp_filter is set on the node only",
        "regressions/rp-filter-set-on-the-node-only",
        "web",
        strict,
        ("node-port",),
    ),
    Mutant(
        "the node has a wrong neighbour entry",
        "regressions/neighbour-of-the-veth-wrong",
        "worker01",
        wrong_neighbours,
        ("node-to-pod",),
    ),
    Mutant(
        "the pod has a wrong neighbour entry",
        "regressions/neighbour-of-the-veth-wrong",
        "web",
        wrong_neighbours,
        ("pod-to-node",),
    ),
    Mutant(
        "veth0 gets another MAC",
        "regressions/neighbour-of-the-veth-wrong",
        "web",
        renamed_by_systemd,
        ("node-to-pod",),
    ),
    Mutant(
        "veth0 has no address",
        "regressions/redirect-without-address-on-veth0",
        "mesh",
        no_address_on_veth0,
        ("by-veth0",),
    ),
    Mutant(
        "the node has no routes to its pods",
        "regressions/node-route-outside-its-table",
        "worker01",
        without_rules(1000),
        ("node-to-storage", "node-to-ethx7", "node-to-net1"),
    ),
    Mutant(
        "net1's table has no cluster routes",
        "regressions/service-lost-with-the-default-route",
        "moved",
        without_routes_to("10.233.0.0/18", "10.233.64.0/18", table=100),
        ("service-bound-to-net1[moved]",),
    ),
    Mutant(
        "main has no cluster routes",
        "regressions/service-lost-with-the-default-route",
        "moved",
        without_routes_to("10.233.0.0/18", "10.233.64.0/18", table=MAIN),
        ("service[moved]",),
    ),
    Mutant(
        "a NIC that came later does not get the default",
        "regressions/service-lost-with-the-default-route",
        "later",
        default_not_moved(Family.V4),
        ("outside-by-the-later-nic",),
    ),
)
