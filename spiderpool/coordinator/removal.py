"""What must go when a NIC is detached, from the states alone and what its footprint adds.

Not the inverse of one plan: other NICs came and went meanwhile. What NICs share (eth0's
table, routes of main, the node's rule) goes with the last one that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from spiderpool.coordinator.config import Config
from spiderpool.coordinator.facts import (
    node_addresses,
    node_link_name,
    other_end,
    usable_addresses,
)
from spiderpool.coordinator.footprint import Footprint
from spiderpool.coordinator.nics import NODE_VETH, priority_of, table_of
from spiderpool.coordinator.node import NODE_RULE_PRIORITY
from spiderpool.coordinator.plan import Plan
from spiderpool.coordinator.present import Present, canonical, legs
from spiderpool.netlink.objects import NetState, Route, Rule
from spiderpool.netlink.operations import (
    AddRoute,
    ChangeLink,
    DeleteLink,
    DeleteNeighbour,
    DeleteRoute,
    DeleteRule,
    Operation,
    SetSysctl,
    UnmarkReplies,
)
from spiderpool.types.address import Address, Family, Prefix, host_prefix
from spiderpool.types.names import MAIN, ContainerID, IfName, TableID


@dataclass(frozen=True, slots=True)
class Departure:
    """The end of an attachment; ``pod`` is None when its namespace is gone."""

    node: NetState
    nic: IfName
    container: ContainerID
    config: Config
    pod: NetState | None = None
    footprint: Footprint | None = None

    @property
    def node_link(self) -> IfName | None:
        """The node's end of the veth to the pod, while it exists."""
        own = self.node.link(node_link_name(self.container))
        if own is not None:
            return own.name
        if self.pod is not None and (inner := self.pod.link(self.config.first_nic)) is not None:
            outer = other_end(inner, self.node.links)
            return outer.name if outer else None
        if self.footprint is None:
            return None
        known = self.node.link(self.footprint.node_link)
        same = known is not None and known.index == self.footprint.node_link_index
        return known.name if known is not None and same else None

    @property
    def is_underlay(self) -> bool:
        return self.node_link == node_link_name(self.container)

    @property
    def takes_veth(self) -> bool:
        """Whether the veth that the coordinator made goes with this NIC."""
        return self.is_underlay and self.nic == self.config.first_nic

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The NIC's addresses, from whoever still knows them."""
        remembered = self.footprint.addresses if self.footprint else ()
        present = [
            address
            for family in Family
            if self.pod is not None
            for address in usable_addresses(self.pod, self.nic, family)
        ]
        return tuple(dict.fromkeys((*remembered, *present)))

    @property
    def host_tables(self) -> tuple[TableID, ...]:
        remembered = (self.footprint.table,) if self.footprint else ()
        return tuple(dict.fromkeys((*remembered, self.config.host_rule_table)))


def removal(departure: Departure) -> Plan:
    """What must change when the NIC goes; nothing when it was never attached or is gone."""
    pod = departure.pod
    if not _was_attached(departure):
        return Plan()
    return Plan(
        pod=() if pod is None else Present(pod).pending(_from_pod(departure, pod)),
        node=Present(departure.node).pending(_from_node(departure)),
    )


def _was_attached(departure: Departure) -> bool:
    """Whether anything tells so; main alone cannot be told from what other plugins made."""
    first, nic = departure.config.first_nic, departure.nic
    slot = priority_of(nic, first), table_of(nic, first)
    rules = departure.pod.rules if departure.pod else ()
    return (
        departure.footprint is not None
        or departure.takes_veth
        or any((rule.priority, rule.table) == slot for rule in rules)
        or any(route.destination in _places(departure) for route in _host_routes(departure))
    )


def _places(departure: Departure) -> set[Prefix]:
    return {host_prefix(address) for address in departure.addresses}


def _host_routes(departure: Departure) -> list[Route]:
    """The node's routes to this pod."""
    return [
        route
        for route in departure.node.routes
        if route.table in departure.host_tables and route.link == departure.node_link
    ]


def _from_pod(departure: Departure, pod: NetState) -> Iterator[Operation]:
    """Defaults return to main before tables and rules go, so that there is always a way out."""
    first, last = departure.config.first_nic, _is_last(departure, pod)
    nics = [link.name for link in pod.links if not link.loopback and link.name != NODE_VETH]
    leaving = nics if last else [departure.nic]
    for nic in leaving:
        yield from _defaults_back(pod, nic, table_of(nic, first))
    if not last:
        yield from _heirs(departure, pod, nics)
    for nic in leaving:
        yield from _own_of(pod, priority_of(nic, first), table_of(nic, first))
    if departure.takes_veth:
        yield UnmarkReplies(NODE_VETH)
        veth_table = table_of(NODE_VETH, first)
        yield from map(DeleteRule, (rule for rule in pod.rules if rule.table == veth_table))
    elif last:
        yield from _shared(departure, pod)
    yield from _policy_routes(departure)
    yield from _former_settings(departure, last=last)


def _is_last(departure: Departure, pod: NetState) -> bool:
    """Whether no other NIC of the pod is attached: the node has routes to those that are."""
    routed = {route.destination for route in _host_routes(departure)}
    return not any(
        host_prefix(address) in routed
        for link in pod.links
        for family in Family
        if link.name != departure.nic
        for address in usable_addresses(pod, link.name, family)
    )


def _defaults_of(pod: NetState, nic: IfName, table: TableID) -> list[Route]:
    return [
        leg
        for route in pod.routes
        if route.table == table and route.is_default
        for leg in legs(route)
        if leg.link == nic
    ]


def _defaults_back(pod: NetState, nic: IfName, table: TableID) -> Iterator[Operation]:
    for default in _defaults_of(pod, nic, table):
        yield AddRoute(replace(default, table=MAIN))


def _heirs(departure: Departure, pod: NetState, nics: list[IfName]) -> Iterator[Operation]:
    """When main's default goes with the NIC, the next one in line gets it."""
    others = sorted((n for n in nics if n != departure.nic), key=departure.config.first_nic.__ne__)
    for family in Family:
        held = {
            nic for nic in nics if any(leg.family is family for leg in _defaults_of(pod, nic, MAIN))
        }
        if held != {departure.nic}:
            continue
        candidates = (
            leg
            for nic in others
            for leg in _defaults_of(pod, nic, table_of(nic, departure.config.first_nic))
            if leg.family is family
        )
        if (heir := next(candidates, None)) is not None:
            yield AddRoute(replace(heir, table=MAIN))


def _own_of(pod: NetState, priority: int, table: TableID) -> Iterator[Operation]:
    """A NIC's rules, then its table."""
    for rule in pod.rules:
        if (rule.priority, rule.table) == (priority, table):
            yield DeleteRule(rule)
    for route in pod.routes:
        if route.table == table:
            yield DeleteRoute(route)


def _shared(departure: Departure, pod: NetState) -> Iterator[Operation]:
    """Routes of main to the node and by it, and the entries that say where it is."""
    first = departure.config.first_nic
    own = {address for family in Family for address in node_addresses(departure.node, family)}
    places = {host_prefix(address) for address in own}
    for route in pod.routes:
        by_node = route.gateway in own or route.destination in places
        if route.table == MAIN and route.link == first and by_node and not route.is_default:
            yield DeleteRoute(route)
    for entry in pod.neighbours:
        if entry.link == first and entry.address in own and entry.permanent:
            yield DeleteNeighbour(entry)


def _policy_routes(departure: Departure) -> Iterator[Operation]:
    for route in departure.config.policy_routes:
        yield DeleteRoute(Route(route.destination, departure.nic, route.gateway))


def _former_settings(departure: Departure, *, last: bool) -> Iterator[Operation]:
    """The NIC's own settings; those that NICs share only with the last one."""
    known = departure.footprint
    if known is None:
        return
    if known.mac is not None or known.tx_queue_len is not None:
        yield ChangeLink(departure.nic, mac=known.mac, txqueuelen=known.tx_queue_len)
    for key, value in known.pod_sysctls.items():
        if last or f"/{departure.nic}/" in key:
            yield SetSysctl(key, value)


def _from_node(departure: Departure) -> Iterator[Operation]:
    """Only what leads to this pod: the address may be another pod's by now."""
    link, doomed = departure.node_link, set[Route]()
    places = _places(departure)
    for route in _host_routes(departure):
        if departure.takes_veth or route.destination in places:
            doomed.add(canonical(route))
            yield DeleteRoute(route)
    for entry in departure.node.neighbours:
        if entry.link == link and entry.permanent and entry.address in departure.addresses:
            yield DeleteNeighbour(entry)
    yield from _unneeded_rules(departure, doomed)
    if departure.takes_veth and link is not None:
        yield DeleteLink(link)
    elif link is not None and departure.pod is not None and _is_last(departure, departure.pod):
        sysctls = departure.footprint.node_sysctls if departure.footprint else {}
        yield from (SetSysctl(k, v) for k, v in sysctls.items() if f"/{link}/" in k)


def _unneeded_rules(departure: Departure, doomed: set[Route]) -> Iterator[Operation]:
    """The node's rule goes with the last route of its table."""
    for table in departure.host_tables:
        for family in Family:
            rule = Rule(NODE_RULE_PRIORITY, table, family)
            remaining = any(
                (route.table, route.family) == (table, family) and canonical(route) not in doomed
                for route in departure.node.routes
            )
            if not remaining:
                yield DeleteRule(rule)
