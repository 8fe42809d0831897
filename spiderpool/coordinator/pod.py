"""What the pod's namespace must hold, as operations in the order in which they must happen.

A route whose gateway is not reachable yet is refused, so link routes come first; a rule
comes after its table, and deletions come last, so that there is always a way out. What is
not rtnetlink stands at either end, so that everything between is one batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from spiderpool.coordinator import sysctls
from spiderpool.coordinator.nics import NODE_VETH
from spiderpool.coordinator.present import Present, route_key
from spiderpool.coordinator.scene import Scene, Way
from spiderpool.netlink.objects import (
    LinkAddress,
    LinkKind,
    Neighbour,
    Protocol,
    Route,
    Rule,
    Scope,
)
from spiderpool.netlink.operations import (
    AddAddress,
    AddRoute,
    AddRule,
    ChangeLink,
    CreateLink,
    DeleteRoute,
    DeleteRule,
    MarkReplies,
    Operation,
    Peer,
    SetNeighbour,
)
from spiderpool.types.address import (
    Address,
    Family,
    InterfaceAddress,
    Prefix,
    family_of,
    host_prefix,
    to_int,
)
from spiderpool.types.modes import Mode
from spiderpool.types.names import MAIN, IfName, TableID

REPLY_MARK = 1
REPLY_PRIORITY = 1000
_DEFAULTS = {Family.V4: Prefix("0.0.0.0/0"), Family.V6: Prefix("::/0")}


def pod_wanted(scene: Scene) -> Iterator[Operation]:
    """Everything that must hold in the pod, whether it does already or not."""
    yield from sysctls.before_links(scene)
    yield from _links(scene)
    for way in scene.ways:
        yield from _neighbours(scene, way)
        yield from map(AddRoute, _shared_routes_of_main(scene, way))
    yield from map(AddRoute, _policy_routes_of_main(scene))
    if scene.mode is Mode.UNDERLAY:
        yield from _replies_by_veth(scene)
    if scene.facts.config.tune_pod_routes:
        for nic in scene.nics:
            yield from map(AddRoute, table_routes(scene, nic))
        for nic in scene.nics:
            yield from map(AddRule, source_rules(scene, nic))
        yield from _defaults_of_main(scene)
        yield from _leftovers(scene)
    if scene.mode is Mode.UNDERLAY:
        yield MarkReplies(NODE_VETH, REPLY_MARK)
    yield from sysctls.after_routes(scene)


def _links(scene: Scene) -> Iterator[Operation]:
    config = scene.facts.config
    if scene.mode is Mode.UNDERLAY and scene.is_first:
        yield _veth(scene)
    yield ChangeLink(scene.nic, up=True, mac=mac_of(scene), txqueuelen=config.tx_queue_len or None)
    if (address := _veth_address(scene)) is not None:
        prefix = InterfaceAddress(host_prefix(address))
        yield AddAddress(LinkAddress(NODE_VETH, prefix, no_dad=True))


def _veth_address(scene: Scene) -> Address | None:
    """What ``veth0`` is given, so that programs in the pod find an address on it."""
    address = scene.facts.config.veth_link_address
    if scene.mode is not Mode.UNDERLAY or address is None:
        return None
    return address if family_of(address) in scene.families else None


def _veth(scene: Scene) -> CreateLink:
    """The index is chosen here, so that the routes by it go in the same batch."""
    passage, mtu = scene.passage, scene.facts.config.veth_mtu
    return CreateLink(
        name=NODE_VETH,
        kind=LinkKind.VETH,
        index=max(link.index for link in scene.facts.pod.links) + 1,
        mac=passage.pod_mac,
        mtu=mtu,
        up=True,
        peer=Peer(passage.node_link, scene.facts.node_namespace, passage.node_mac, mtu),
    )


def mac_of(scene: Scene) -> str | None:
    """The NIC's MAC: the prefix and the last four bytes of its first address; None: as it is."""
    prefix = scene.facts.config.mac_prefix
    if not prefix:
        return None
    tail = to_int(scene.addresses(scene.nic)[0]) & 0xFFFFFFFF
    return ":".join((prefix, *(f"{byte:02x}" for byte in tail.to_bytes(4, "big"))))


def _neighbours(scene: Scene, way: Way) -> Iterator[Operation]:
    passage = scene.passage
    for address in way.node_addresses:
        yield SetNeighbour(Neighbour(passage.pod_link, address, passage.node_mac))


def _shared_routes(scene: Scene, way: Way, table: TableID) -> Iterator[Route]:
    """Routes to the node and to the cluster: in main and in the table of every NIC."""
    link = scene.passage.pod_link
    for address in way.node_addresses:
        yield Route(
            host_prefix(address),
            link,
            table=table,
            scope=_link_scope(way.family),
            source=way.source,
        )
    for prefix in way.prefixes:
        yield Route(prefix, link, way.gateway, table=table, source=way.source)


def _link_scope(family: Family) -> Scope:
    return Scope.LINK if family is Family.V4 else Scope.GLOBAL


def _shared_routes_of_main(scene: Scene, way: Way) -> Iterator[Route]:
    """A network that a NIC is connected to stays that NIC's."""
    link = scene.passage.pod_link
    taken = {
        route.destination
        for route in scene.facts.pod.routes
        if route.table == MAIN and route.link != link
    }
    return (r for r in _shared_routes(scene, way, MAIN) if r.destination not in taken)


def _default_by_veth(scene: Scene, way: Way, table: TableID) -> Route:
    link = scene.passage.pod_link
    return Route(_DEFAULTS[way.family], link, way.gateway, table=table, source=way.source)


def _replies_by_veth(scene: Scene) -> Iterator[Operation]:
    """What came in through ``veth0``, and is marked, is answered through it."""
    table = scene.table(NODE_VETH)
    for way in scene.ways:
        yield from map(AddRoute, _shared_routes(scene, way, table))
        yield AddRoute(_default_by_veth(scene, way, table))
        yield AddRule(Rule(REPLY_PRIORITY, table, way.family, mark=REPLY_MARK))
    if (address := _veth_address(scene)) is not None:
        yield AddRule(_source_rule(scene, NODE_VETH, address))


def table_routes(scene: Scene, nic: IfName) -> list[Route]:
    """The whole table of a NIC: what it is connected to, the cluster, its default.

    Routes that need a gateway come after those that make gateways reachable.
    """
    table, families = scene.table(nic), scene.families_of(nic)
    own = [_copy(route, table) for route in _own_routes(scene, nic) if route.family in families]
    destinations = {route.destination for route in own}
    shared = [
        route
        for way in scene.ways
        if way.family in families
        for route in _shared_routes(scene, way, table)
        if route.destination not in destinations
    ]
    policy = list(policy_routes(scene, table)) if nic == scene.nic else []
    return sorted((*own, *shared, *policy), key=lambda route: route.gateway is not None)


def _own_routes(scene: Scene, nic: IfName) -> Iterator[Route]:
    own_addresses = {host_prefix(address) for address in scene.addresses(nic)}
    for leg in scene.legs_of(nic, MAIN):
        if not leg.is_default and leg.destination not in own_addresses:
            yield leg
    yield from scene.defaults_of(nic)


def _copy(route: Route, table: TableID) -> Route:
    """As a route of ours: the kernel's own protocol and IPv6 metric are not copied."""
    metric = 0 if route.protocol == Protocol.KERNEL else route.metric
    return replace(route, table=table, protocol=Protocol.BOOT, metric=metric)


def policy_routes(scene: Scene, table: TableID) -> Iterator[Route]:
    """The configured routes of the NIC at hand, in the families that it has."""
    for route in scene.facts.config.policy_routes:
        if family_of(route.destination) in scene.families:
            yield Route(route.destination, scene.nic, route.gateway, table=table)


def _policy_routes_of_main(scene: Scene) -> Iterator[Route]:
    """Sockets that are bound to no address read main: it has the first NIC's policy routes,
    and any NIC's that has no table."""
    if (scene.is_first and scene.mode is Mode.UNDERLAY) or not scene.facts.config.tune_pod_routes:
        yield from policy_routes(scene, MAIN)


def source_rules(scene: Scene, nic: IfName) -> list[Rule]:
    """One rule for each address of the NIC."""
    return [_source_rule(scene, nic, address) for address in scene.addresses(nic)]


def _source_rule(scene: Scene, nic: IfName, address: Address) -> Rule:
    source = host_prefix(address)
    return Rule(scene.priority(nic), scene.table(nic), family_of(address), source=source)


def default_holder(scene: Scene, family: Family) -> IfName | None:
    """The NIC whose default route main has.

    The configured one, once it is there and has a default of that family; else the one
    that has it already; else the NIC at hand.
    """
    chosen = scene.facts.config.default_route_nic

    def has_default(nic: IfName) -> bool:
        return any(route.family is family for route in scene.defaults_of(nic))

    if chosen in scene.nics and has_default(chosen):
        return chosen
    for nic in scene.nics:
        if nic != scene.nic and any(
            leg.is_default and leg.family is family for leg in scene.legs_of(nic, MAIN)
        ):
            return nic
    return scene.nic if has_default(scene.nic) else None


def _defaults_of_main(scene: Scene) -> Iterator[Operation]:
    """Move the default route: add the holder's, then remove the others', which are by now in
    the tables of their own."""
    for family in scene.families:
        holder = default_holder(scene, family)
        if holder is None:
            continue
        for route in scene.defaults_of(holder):
            if route.family is family:
                yield AddRoute(replace(route, table=MAIN, protocol=Protocol.BOOT))
        for nic in scene.nics:
            if nic == holder or family not in scene.families_of(nic):
                continue
            for leg in scene.legs_of(nic, MAIN):
                if leg.is_default and leg.family is family:
                    yield DeleteRoute(leg)


def _leftovers(scene: Scene) -> Iterator[Operation]:
    """What an earlier attachment of the NIC left in its table and under its rules."""
    table, nic = scene.table(scene.nic), scene.nic
    wanted = {route_key(route) for route in table_routes(scene, nic)}
    for route in scene.facts.pod.routes:
        own = route.table == table and route.family in scene.families
        if own and route_key(route) not in wanted:
            yield DeleteRoute(route)
    rules = source_rules(scene, nic)
    for rule in scene.facts.pod.rules:
        own = (rule.table, rule.priority) == (table, scene.priority(nic))
        if own and rule.family in scene.families and rule not in rules:
            yield DeleteRule(rule)


def pod_plan(scene: Scene) -> tuple[Operation, ...]:
    """What must change in the pod."""
    return Present(scene.facts.pod).pending(pod_wanted(scene))
