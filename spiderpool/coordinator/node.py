"""What the node must hold so that it reaches the pod's underlay addresses by the passage."""

from __future__ import annotations

from collections.abc import Iterator

from spiderpool.coordinator.present import Present, route_key
from spiderpool.coordinator.scene import Scene
from spiderpool.netlink.objects import Neighbour, NetState, Route, Rule, Scope
from spiderpool.netlink.operations import (
    AddRoute,
    AddRule,
    ChangeLink,
    DeleteNeighbour,
    DeleteRoute,
    Operation,
    SetNeighbour,
    SetSysctl,
)
from spiderpool.types.address import Address, Family, family_of, host_prefix
from spiderpool.types.modes import Mode
from spiderpool.types.names import IfName, TableID

NODE_RULE_PRIORITY = 1000


def node_wanted(scene: Scene) -> Iterator[Operation]:
    """Everything that must hold on the node, whether it does already or not."""
    config, passage = scene.facts.config, scene.passage
    makes_veth = scene.mode is Mode.UNDERLAY and scene.is_first
    if makes_veth:
        yield ChangeLink(passage.node_link, up=True)
    table = config.host_rule_table
    for address in scene.addresses(scene.nic):
        route = _route(address, passage.node_link, table)
        neighbour = Neighbour(passage.node_link, address, passage.pod_mac)
        yield from _stale(scene.facts.node, route, neighbour)
        yield AddRoute(route)
        yield SetNeighbour(neighbour)
    for family in scene.families:
        yield AddRule(Rule(NODE_RULE_PRIORITY, table, family))
    if makes_veth:
        yield SetSysctl(f"ipv6/conf/{passage.node_link}/accept_ra", "0")
    yield from _reverse_path_filter(scene)


def _route(address: Address, link: IfName, table: TableID) -> Route:
    scope = Scope.LINK if family_of(address) is Family.V4 else Scope.GLOBAL
    return Route(host_prefix(address), link, table=table, scope=scope)


def _stale(node: NetState, route: Route, neighbour: Neighbour) -> Iterator[Operation]:
    """What an earlier owner of the address left: another link's route or permanent entry."""
    for other in node.routes:
        same_place = (other.table, other.destination) == (route.table, route.destination)
        if same_place and route_key(other) != route_key(route):
            yield DeleteRoute(other)
    for entry in node.neighbours:
        elsewhere = entry.address == neighbour.address and entry.link != neighbour.link
        if elsewhere and entry.permanent and not entry.proxy:
            yield DeleteNeighbour(entry)


def _reverse_path_filter(scene: Scene) -> Iterator[Operation]:
    """The kernel uses the greater of ``all`` and the link's value: lower ``all`` if need be,
    for good, because that is a setting of the node and not of this pod."""
    value = scene.facts.config.host_rp_filter
    if value is None:
        return
    yield SetSysctl(f"ipv4/conf/{scene.passage.node_link}/rp_filter", str(value))
    present = scene.facts.node.sysctls.get("ipv4/conf/all/rp_filter", "")
    if present.isdigit() and int(present) > value:
        yield SetSysctl("ipv4/conf/all/rp_filter", str(value))


def node_plan(scene: Scene) -> tuple[Operation, ...]:
    """What must change on the node."""
    return Present(scene.facts.node).pending(node_wanted(scene))
