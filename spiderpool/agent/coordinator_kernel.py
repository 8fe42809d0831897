"""The coordinator's work on two namespaces: read, plan, apply, take back. Blocking."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spiderpool.coordinator.advertised import forget, stop_listening
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.facts import (
    Facts,
    node_addresses,
    node_link_name,
    usable_addresses,
)
from spiderpool.coordinator.footprint import Footprint
from spiderpool.coordinator.nics import NODE_VETH
from spiderpool.coordinator.plan import Plan, no_such_link
from spiderpool.coordinator.removal import Departure, removal
from spiderpool.coordinator.sysctls import keys_to_read
from spiderpool.coordinator.undo import undo
from spiderpool.errors import OperationFailed
from spiderpool.netlink.apply import absent, apply, apply_all
from spiderpool.netlink.objects import NetState, Route
from spiderpool.netlink.operations import Operation
from spiderpool.netlink.selection import EACH, Selection
from spiderpool.netlink.transport import Transport
from spiderpool.types.address import Address, Family, family_of, host_prefix
from spiderpool.types.modes import Mode
from spiderpool.types.names import MAIN, ContainerID, IfName, TableID

log = logging.getLogger(__name__)

_NOTHING = Selection(links=(), addresses_of=(), tables=(), neighbours_of=(), rules=False)
_MARKS = replace(_NOTHING, reply_marks=True)
_OF_THE_NODE = ("ipv4/conf/all/rp_filter", "ipv4/conf/*/rp_filter", "ipv6/conf/*/accept_ra")
"""Settings of the node, and of its end of the veth."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one CNI call is about, without the states.

    ``node_namespace`` is a descriptor of the node's namespace.
    """

    nic: IfName
    container: ContainerID
    config: Config
    node_addresses: tuple[Address, ...] = ()
    expected_nics: tuple[IfName, ...] | None = None
    node_namespace: int | None = None


def read_facts(call: Call, pod: Transport, node: Transport) -> Facts:
    """The states that the plan depends on, and no more of the node than that.

    Raises:
        BadInput: what was asked for cannot be done in this pod.
        OperationFailed: the kernel refused a dump.
    """
    inside = _read_pod(pod, call.nic)
    facts = Facts(
        pod=inside,
        node=_read_node(call, inside, node),
        nic=call.nic,
        container=call.container,
        config=call.config,
        node_addresses=call.node_addresses,
        expected_nics=call.expected_nics,
        node_namespace=call.node_namespace,
    )
    if call.config.mode is Mode.DISABLED:
        return facts
    others = _links_of_addresses(facts)
    if not others:
        return facts
    found = node.dump(replace(_NOTHING, neighbours_of=others)).neighbours
    return replace(facts, node=replace(facts.node, neighbours=(*facts.node.neighbours, *found)))


def _read_pod(pod: Transport, nic: IfName) -> NetState:
    """All of the pod; its marks only when it has the veth that they are for."""
    state = pod.dump(Selection(sysctls=keys_to_read(nic)))
    if state.link(NODE_VETH) is None:
        return state
    return replace(state, reply_marks=pod.dump(_MARKS).reply_marks)


def _read_node(call: Call, pod: NetState, node: Transport) -> NetState:
    """What concerns this pod, at a cost that does not grow with the node's other pods.

    Our table is read as a whole only while no rule leads to it, main only to find out the
    node's own address.
    """
    addresses = [a for f in Family for a in usable_addresses(pod, call.nic, f)]
    selection = replace(
        _links_to(call, pod),
        routes_to=tuple(addresses),
        families=tuple({family_of(address) for address in addresses}),
    )
    state = node.dump(selection)
    table = call.config.host_rule_table
    leads = {rule.family for rule in state.rules if rule.table == table}
    unread = [family for family in selection.families if family not in leads]
    routes = [*state.routes, *_routes_of(node, table, unread)]
    if not _is_known(call.node_addresses, state):
        routes += _routes_of(node, MAIN, selection.families)
    return replace(state, routes=tuple(dict.fromkeys(routes)))


def _routes_of(node: Transport, table: TableID, families: Sequence[Family]) -> tuple[Route, ...]:
    if not families:
        return ()
    return node.dump(replace(_NOTHING, tables=(table,), families=tuple(families))).routes


def _links_to(call: Call, pod: NetState | None) -> Selection:
    """The node's end of the veth to the pod, whoever made it, with its neighbours; the node's
    addresses; rules."""
    first = pod.link(call.config.first_nic) if pod is not None else None
    numbers = (first.parent_index,) if first is not None and first.parent_index else ()
    return Selection(
        links=(node_link_name(call.container),),
        link_numbers=numbers,
        link_local=False,
        tables=(),
        neighbours_of=(EACH,),
        sysctls=_OF_THE_NODE,
    )


def _is_known(addresses: Sequence[Address], node: NetState) -> bool:
    """Whether one of the addresses is the node's, in each family that it has."""
    return all(
        not own or any(address in own for address in addresses)
        for own in (node_addresses(node, family) for family in Family)
    )


def _links_of_addresses(facts: Facts) -> tuple[IfName, ...]:
    """Other links of the node to which an owner of the NIC's addresses was routed before."""
    places = {
        host_prefix(address)
        for family in Family
        for address in usable_addresses(facts.pod, facts.nic, family)
    }
    table = facts.config.host_rule_table
    found = {
        route.link
        for route in facts.node.routes
        if route.table == table and route.link is not None and route.destination in places
    }
    return tuple(found - {link.name for link in facts.node.links})


def macs_of(pod: Transport, nic: IfName) -> tuple[str, frozenset[str]]:
    """The NIC's MAC, and those of all links of the pod.

    Raises:
        BadInput: the pod has no such link.
    """
    state = pod.dump(replace(_NOTHING, links=None))
    link = state.link(nic)
    if link is None:
        raise no_such_link(nic)
    return link.mac, frozenset(one.mac for one in state.links)


def carry_out(made: Plan, facts: Facts, pod: Transport, node: Transport) -> None:
    """Apply a plan to both namespaces, or to neither.

    Raises:
        OperationFailed: the first refusal; what had been done is taken back.
    """
    in_pod = _apply_or_take_back(pod, made.pod, facts.pod)
    try:
        _apply_or_take_back(node, made.node, facts.node)
    except OperationFailed:
        _take_back(pod, in_pod, facts.pod)
        raise
    if any(op in made.pod for op in stop_listening(facts)):
        _forget_late_advertisements(facts, pod)


def _forget_late_advertisements(facts: Facts, pod: Transport) -> None:
    """Those that came in after the dump that was planned with, before the NIC stopped
    listening."""
    learned = replace(_NOTHING, addresses_of=(facts.nic,), tables=(MAIN,), families=(Family.V6,))
    late = tuple(forget(replace(facts, pod=pod.dump(learned))))
    for failure in apply_all(pod, late) if late else ():
        log.warning("advertised to %s and not forgotten: %s", facts.nic, failure)


def _apply_or_take_back(
    target: Transport, operations: Sequence[Operation], before: NetState
) -> list[Operation]:
    """Apply all and return those that changed something, or take back what had been done."""
    try:
        return [operations[place] for place in apply(target, operations)]
    except OperationFailed as failure:
        _take_back(target, [operations[place] for place in failure.applied], before)
        raise


def _take_back(target: Transport, done: Sequence[Operation], before: NetState) -> None:
    for failure in apply_all(target, undo(done, before)):
        log.error("not taken back: %s", failure)


def detach(
    call: Call, footprint: Footprint | None, pod: Transport | None, node: Transport
) -> list[OperationFailed]:
    """Remove what the attachment left, as far as it goes; returns what could not be removed."""
    inside = _read_pod(pod, call.nic) if pod is not None else None
    departure = Departure(
        node=_read_departing_node(call, footprint, inside, node),
        nic=call.nic,
        container=call.container,
        config=call.config,
        pod=inside,
        footprint=footprint,
    )
    made = removal(departure)
    failures = [*apply_all(node, made.node)]
    if pod is not None:
        failures += apply_all(pod, made.pod)
    return [failure for failure in failures if not absent(failure)]


def _read_departing_node(
    call: Call, footprint: Footprint | None, pod: NetState | None, node: Transport
) -> NetState:
    """With our tables as a whole: their rules go with the last route."""
    selection = _links_to(call, pod)
    tables = [call.config.host_rule_table]
    if footprint is not None:
        links = (*(selection.links or ()), footprint.node_link)
        selection = replace(selection, links=tuple(dict.fromkeys(links)))
        tables.append(footprint.table)
    return node.dump(replace(selection, tables=tuple(dict.fromkeys(tables))))
