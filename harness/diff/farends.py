"""What answers a case's probes: operations on the LAN's side and on the node. Pure.

They are there while probes are sent only, so that no plugin sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.diff.probes import CLIENT, OUTSIDE, behind_the_node, uplink_gateway
from harness.golden.rebuild import far_name
from harness.golden.recorded import Case, Pair
from spiderpool.coordinator.facts import is_local
from spiderpool.netlink.objects import LinkAddress, NetState, Route, RouteType, Rule, Scope
from spiderpool.netlink.operations import AddAddress, AddRoute, AddRule, Operation
from spiderpool.types.address import (
    Address,
    Family,
    InterfaceAddress,
    Prefix,
    address_of,
    contains,
    host_prefix,
    length_of,
    network_of,
)
from spiderpool.types.names import LOCAL, IfName, TableID

_LOOPBACK = IfName("lo")
_BY_THE_NODE = TableID(100)
_LAST = 10_000
_EVERYWHERE = {Family.V4: Prefix("0.0.0.0/0"), Family.V6: Prefix("::/0")}


def on_node(case: Case) -> Iterator[Operation]:
    """The node answers for a service and another pod, without an address for either."""
    for family, scope in ((Family.V4, Scope.HOST), (Family.V6, Scope.GLOBAL)):
        for _, address in behind_the_node(case, family):
            local = Route(host_prefix(address), _LOOPBACK, table=LOCAL, scope=scope)
            yield AddRoute(replace(local, type=RouteType.LOCAL))


def on_lan(state: Pair, lan: NetState, families: Iterable[Family]) -> Iterator[Operation]:
    """Two hosts behind the LAN; one knows the way by the node only, and the other that of
    addresses that are on no LAN. What is for anybody else is dropped without a word."""
    for family in families:
        yield AddRoute(Route(_EVERYWHERE[family], metric=_LAST, type=RouteType.BLACKHOLE))
        yield from (_own(host[family]) for host in (OUTSIDE, CLIENT))
        uplink = uplink_gateway(state, family)
        if uplink is not None:
            yield from _by_the_node(state, lan, family, *uplink)


def _own(address: Address) -> AddAddress:
    return AddAddress(LinkAddress(_LOOPBACK, InterfaceAddress(host_prefix(address)), no_dad=True))


def _by_the_node(
    state: Pair, lan: NetState, family: Family, link: str, gateway: Address
) -> Iterator[Operation]:
    nic = state.node.link(link)
    entries = [e for e in state.node.addresses_of(link, family) if e.scope is Scope.GLOBAL]
    if nic is None or not entries:
        return
    far, node = far_name(nic, "n"), address_of(entries[0].address)
    there = LinkAddress(far, InterfaceAddress(f"{gateway}/{length_of(entries[0].address)}"))
    held = [entry.address for entry in lan.addresses if entry.scope is not Scope.LINK]
    if there.address not in held:
        yield AddAddress(LinkAddress(far, there.address, no_dad=True))
    client = host_prefix(CLIENT[family])
    yield AddRule(Rule(100, _BY_THE_NODE, family, source=client, iif=_LOOPBACK))
    yield AddRoute(Route(_EVERYWHERE[family], far, node, _BY_THE_NODE))
    networks = {network_of(address) for address in (*held, there.address)}
    for entry in state.pod.addresses:
        address = address_of(entry.address)
        on_a_lan = any(contains(network, address) for network in networks)
        if entry.family is family and not is_local(address) and not on_a_lan:
            yield AddRoute(Route(host_prefix(address), far, node))
