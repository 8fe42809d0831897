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
from spiderpool.coordinator.present import Present, RouteKey, legs, route_key
from spiderpool.coordinator.sysctls import ARP_SETTINGS, sharing
from spiderpool.netlink.objects import Link, NetState, Route, Rule
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
    for family in Family:
        yield from _from_family(departure, pod, family)
    if departure.takes_veth:
        yield UnmarkReplies(NODE_VETH)
        table = table_of(NODE_VETH, departure.config.first_nic)
        yield from map(DeleteRule, (rule for rule in pod.rules if rule.table == table))
    yield from _policy_routes(departure)
    yield from _former_settings(departure, pod)


def _from_family(departure: Departure, pod: NetState, family: Family) -> Iterator[Operation]:
    """Defaults return to main before tables and rules go, so that there is always a way out."""
    first, staying = departure.config.first_nic, _staying(departure, pod, family)
    leaving = _leaving(departure, pod, staying)
    for nic in leaving:
        yield from _defaults_back(pod, nic, table_of(nic, first), family)
    yield from _heirs(departure, pod, _others(pod, leaving), family)
    for nic in leaving:
        yield from _own_of(pod, priority_of(nic, first), table_of(nic, first), family)
    if not staying and not departure.takes_veth:
        yield from _shared(departure, pod, family)


def _staying(departure: Departure, pod: NetState, family: Family) -> list[Link]:
    """Other NICs of the pod that are attached: the node has routes to those."""
    routed = {route.destination for route in _host_routes(departure)}
    return [
        link
        for link in pod.links
        if link.name != departure.nic
        and any(host_prefix(one) in routed for one in usable_addresses(pod, link.name, family))
    ]


def _leaving(departure: Departure, pod: NetState, staying: list[Link]) -> list[IfName]:
    """The NIC, and those that have rule and table only because it was attached: that no
    other attachment came after."""
    latest = max((link.index for link in staying), default=0)
    kept = {link.name for link in staying}
    later = (link for link in pod.links if link.index > latest and not link.loopback)
    others = (link.name for link in later if link.name not in kept)
    return [departure.nic, *(name for name in others if name not in (NODE_VETH, departure.nic))]


def _others(pod: NetState, leaving: list[IfName]) -> list[IfName]:
    """The NICs that do not leave, in the kernel's order, which is that of their making."""
    return [
        link.name
        for link in pod.links
        if not link.loopback and link.name != NODE_VETH and link.name not in leaving
    ]


def _defaults_of(pod: NetState, nic: IfName, table: TableID, family: Family) -> list[Route]:
    return [
        leg
        for route in pod.routes
        if (route.table, route.family) == (table, family) and route.is_default
        for leg in legs(route)
        if leg.link == nic
    ]


def _defaults_back(
    pod: NetState, nic: IfName, table: TableID, family: Family
) -> Iterator[Operation]:
    for default in _defaults_of(pod, nic, table, family):
        yield AddRoute(replace(default, table=MAIN))


def _heirs(
    departure: Departure, pod: NetState, nics: list[IfName], family: Family
) -> Iterator[Operation]:
    """When main's default goes with a NIC, the next one in line gets it."""
    if any(_defaults_of(pod, nic, MAIN, family) for nic in nics):
        return
    first = departure.config.first_nic
    candidates = (
        leg for nic in nics for leg in _defaults_of(pod, nic, table_of(nic, first), family)
    )
    if (heir := next(candidates, None)) is not None:
        yield AddRoute(replace(heir, table=MAIN))


def _own_of(pod: NetState, priority: int, table: TableID, family: Family) -> Iterator[Operation]:
    """A NIC's rules, then its table."""
    for rule in pod.rules:
        if (rule.priority, rule.table, rule.family) == (priority, table, family):
            yield DeleteRule(rule)
    for route in pod.routes:
        if (route.table, route.family) == (table, family):
            yield DeleteRoute(route)


def _shared(departure: Departure, pod: NetState, family: Family) -> Iterator[Operation]:
    """Routes of main to the node and by it, and the entries that say where it is."""
    first = departure.config.first_nic
    own = set(node_addresses(departure.node, family))
    places = {host_prefix(address) for address in own}
    for route in pod.routes:
        by_node = route.gateway in own or route.destination in places
        if route.table == MAIN and route.link == first and by_node and not route.is_default:
            yield DeleteRoute(route)
    for entry in pod.neighbours:
        if entry.link == first and entry.address in own and entry.permanent:
            yield DeleteNeighbour(entry)


def _is_last(departure: Departure, pod: NetState) -> bool:
    return not any(_staying(departure, pod, family) for family in Family)


def _policy_routes(departure: Departure) -> Iterator[Operation]:
    for route in departure.config.policy_routes:
        yield DeleteRoute(Route(route.destination, departure.nic, route.gateway))


def _former_settings(departure: Departure, pod: NetState) -> Iterator[Operation]:
    """The NIC's own settings; those that NICs share only with the last one, and how another
    NIC answers ARP when it is alone in its network again."""
    known, still = departure.footprint, sharing(pod, departure.nic)
    if known is None:
        return
    if known.mac is not None or known.tx_queue_len is not None:
        yield ChangeLink(departure.nic, mac=known.mac, txqueuelen=known.tx_queue_len)
    for key, value in known.pod_sysctls.items():
        link, name = key.split("/")[-2:]
        alone = name in ARP_SETTINGS and link not in still
        if link == departure.nic or alone or _is_last(departure, pod):
            yield SetSysctl(key, value)


def _from_node(departure: Departure) -> Iterator[Operation]:
    """Only what leads to this pod: the address may be another pod's by now."""
    link, doomed = departure.node_link, set[RouteKey]()
    places = _places(departure)
    for route in _host_routes(departure):
        if departure.takes_veth or route.destination in places:
            doomed.add(route_key(route))
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


def _unneeded_rules(departure: Departure, doomed: set[RouteKey]) -> Iterator[Operation]:
    """The node's rule goes with the last route of its table."""
    for table in departure.host_tables:
        for family in Family:
            rule = Rule(NODE_RULE_PRIORITY, table, family)
            remaining = any(
                (route.table, route.family) == (table, family) and route_key(route) not in doomed
                for route in departure.node.routes
            )
            if not remaining:
                yield DeleteRule(rule)
