"""Operations that take back what was done, from what was there before.

Exact for roll-back of what just happened; what an attachment leaves behind after other
things happened is worked out by :mod:`spiderpool.coordinator.removal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from spiderpool.coordinator.advertised import is_learned
from spiderpool.coordinator.present import legs, route_key
from spiderpool.netlink.objects import Neighbour, NetState, Route
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
    MarkReplies,
    Operation,
    SetNeighbour,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.types.address import Family


def undo(done: Sequence[Operation], before: NetState) -> tuple[Operation, ...]:
    """What leads back to ``before`` after ``done`` was executed and nothing else happened.

    A deleted link is not made again: no plan deletes one that it has not made. What a router
    advertised comes back with its next advertisement, for as long as it says then.
    """
    return tuple(back for operation in reversed(done) for back in _inverse(operation, before))


def _inverse(operation: Operation, before: NetState) -> Iterator[Operation]:
    match operation:
        case AddRoute(route):
            yield DeleteRoute(route)
        case DeleteRoute(route):
            if not is_learned(route, before):
                yield from _put_back(route, before)
        case AddRule(rule):
            yield DeleteRule(rule)
        case DeleteRule(rule):
            yield AddRule(rule)
        case AddAddress(entry):
            yield DeleteAddress(entry)
        case DeleteAddress(entry):
            if not entry.learned:
                yield AddAddress(entry)
        case SetNeighbour(entry) | DeleteNeighbour(entry):
            yield from _former_neighbour(entry, before)
        case _:
            yield from _inverse_of_setting(operation, before)


def _inverse_of_setting(operation: Operation, before: NetState) -> Iterator[Operation]:
    match operation:
        case CreateLink(name):
            yield DeleteLink(name)
        case ChangeLink():
            yield from _former_link(operation, before)
        case MarkReplies(link, mark):
            if link not in before.reply_marks:
                yield UnmarkReplies(link, mark)
        case UnmarkReplies(link, mark):
            yield MarkReplies(link, mark)
        case SetSysctl(key):
            if key in before.sysctls:
                yield SetSysctl(key, before.sysctls[key])


def _put_back(route: Route, before: NetState) -> Iterator[Operation]:
    """Add the route again, and behind it those that it stood before: among IPv4 routes to
    one destination the first one counts."""
    yield AddRoute(route)
    if route.family is Family.V6:
        return
    rivals = [
        leg
        for known in before.routes
        for leg in legs(known)
        if (leg.destination, leg.table, leg.metric)
        == (route.destination, route.table, route.metric)
    ]
    place = next((at for at, leg in enumerate(rivals) if route_key(leg) == route_key(route)), None)
    for later in [] if place is None else rivals[place + 1 :]:
        yield DeleteRoute(later)
        yield AddRoute(later)


def _former_neighbour(entry: Neighbour, before: NetState) -> Iterator[Operation]:
    known = next(
        (
            one
            for one in before.neighbours
            if (one.link, one.address, one.proxy) == (entry.link, entry.address, entry.proxy)
        ),
        None,
    )
    yield SetNeighbour(known) if known is not None else DeleteNeighbour(entry)


def _former_link(change: ChangeLink, before: NetState) -> Iterator[Operation]:
    """IPv6 addresses go when a link is taken down, so they are put back."""
    known = before.link(change.name)
    if known is None:
        return
    yield replace(
        change,
        up=None if change.up is None else known.up,
        mac=None if change.mac is None else known.mac,
        mtu=None if change.mtu is None else known.mtu,
        txqueuelen=None if change.txqueuelen is None else known.txqueuelen,
        master=None if change.master is None else known.master,
    )
    if change.up and not known.up:
        yield from map(AddAddress, before.addresses_of(change.name, Family.V6))
