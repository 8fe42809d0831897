"""Addresses and the routes that come and go with them (net/ipv4/devinet.c,
fib_frontend.c, net/ipv6/addrconf.c)."""

from __future__ import annotations

import errno
from dataclasses import replace

from spiderpool.netlink.model import neighbours, routes
from spiderpool.netlink.model.refusal import Refusal
from spiderpool.netlink.objects import (
    Link,
    LinkAddress,
    NetState,
    Protocol,
    Route,
    Scope,
)
from spiderpool.types.address import Family, address_of, length_of, network_of
from spiderpool.types.names import MAIN, IfName

PREFIX_METRIC = 256
"""Of the routes that IPv6 makes for its prefixes."""


def add(state: NetState, entry: LinkAddress) -> NetState:
    """Add an address; a second one in the same IPv4 network on a link is secondary."""
    link = state.link(entry.link)
    if link is None:
        raise Refusal(errno.ENODEV)
    entry = _normal(state, entry)
    present = state.addresses_of(entry.link, entry.family)
    if any(_same(entry, other) for other in present):
        raise Refusal(errno.EEXIST)
    state = replace(state, addresses=(*state.addresses, entry))
    return connect(state, link, entry)


def delete(state: NetState, entry: LinkAddress) -> NetState:
    """Delete an address; with an IPv4 primary go the secondaries of its network."""
    if state.link(entry.link) is None:
        raise Refusal(errno.ENODEV)
    present = state.addresses_of(entry.link, entry.family)
    known = next((one for one in present if one.address == entry.address), None)
    if known is None:
        raise Refusal(errno.EADDRNOTAVAIL)
    doomed = {known}
    if known.family is Family.V4 and not known.secondary:
        network = network_of(known.address)
        doomed |= {one for one in present if one.secondary and network_of(one.address) == network}
    for one in sorted(doomed, key=lambda one: not one.secondary):
        state = _remove(state, one)
    return state


def connect(state: NetState, link: Link, entry: LinkAddress) -> NetState:
    """Add the route to the address's own network, when the kernel makes one."""
    route = _prefix_route(link, entry)
    if route is None or not link.up or route in state.routes:
        return state
    return replace(state, routes=(*state.routes, route))


def _prefix_route(link: Link, entry: LinkAddress) -> Route | None:
    """IPv4: to a network of more than one host. IPv6: always, metric 256."""
    if entry.no_prefix_route or entry.secondary or link.loopback:
        return None
    destination = network_of(entry.address)
    if entry.family is Family.V6:
        return Route(destination, link.name, metric=PREFIX_METRIC, protocol=Protocol.KERNEL)
    if length_of(entry.address) == Family.V4.bits:
        return None
    return Route(
        destination,
        link.name,
        scope=Scope.LINK,
        source=address_of(entry.address),
        protocol=Protocol.KERNEL,
    )


def _normal(state: NetState, entry: LinkAddress) -> LinkAddress:
    if entry.family is Family.V6:
        return replace(entry, scope=_ipv6_scope(entry.address), broadcast=None, secondary=False)
    secondary = any(
        not other.secondary and network_of(other.address) == network_of(entry.address)
        for other in state.addresses_of(entry.link, Family.V4)
    )
    return replace(entry, secondary=secondary)


def _ipv6_scope(address: str) -> Scope:
    if address_of(address) == "::1":
        return Scope.HOST
    return Scope.LINK if address.startswith("fe80:") else Scope.GLOBAL


def _same(entry: LinkAddress, other: LinkAddress) -> bool:
    """IPv4 tells addresses apart by their length too."""
    if entry.family is Family.V4:
        return entry.address == other.address
    return address_of(entry.address) == address_of(other.address)


def _remove(state: NetState, entry: LinkAddress) -> NetState:
    """Take the address away, and IPv4 from the link with the last one.

    The IPv6 prefix route goes unless another address on the link needs it.
    """
    state = replace(state, addresses=tuple(one for one in state.addresses if one is not entry))
    state = forget_source(state, entry)
    remaining = state.addresses_of(entry.link, entry.family)
    if entry.family is Family.V4:
        return state if remaining else _without_ipv4(state, entry.link)
    prefix = network_of(entry.address)
    if entry.no_prefix_route or any(network_of(other.address) == prefix for other in remaining):
        return state
    return routes.without(
        state,
        lambda leg: (
            (leg.destination, leg.link, leg.metric, leg.protocol)
            == (prefix, entry.link, PREFIX_METRIC, Protocol.KERNEL)
        ),
    )


def _without_ipv4(state: NetState, link: IfName) -> NetState:
    """A link without addresses loses routes and neighbours (``fib_disable_ip``)."""
    state = neighbours.forget(state, (link,), (Family.V4,))
    return routes.link_down(state, link, (Family.V4,))


def forget_source(state: NetState, entry: LinkAddress) -> NetState:
    """Of an address that is ours no more: IPv4 routes of main with this source go
    (``fib_sync_down_addr``), IPv6 routes stay without it (``rt6_remove_prefsrc``)."""
    address = address_of(entry.address)
    if any(address_of(other.address) == address for other in state.addresses):
        return state
    if entry.family is Family.V4:
        return routes.without(state, lambda leg: leg.source == address and leg.table == MAIN)
    kept = tuple(
        replace(route, source=None) if route.source == address else route for route in state.routes
    )
    return replace(state, routes=kept)
