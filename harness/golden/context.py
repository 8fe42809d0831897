"""What a rule of :mod:`harness.golden.explain` looks at: both outcomes of one call."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from harness.golden.meaning import MAIN_VIEW, Kind, Statement, view_family
from harness.golden.recorded import Pair
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.facts import node_addresses
from spiderpool.coordinator.nics import NODE_VETH
from spiderpool.netlink.objects import Route, Scope
from spiderpool.types.address import (
    Address,
    Family,
    address_of,
    contains,
    family_of,
    host_prefix,
    network_of,
)
from spiderpool.types.names import MAIN, IfName


class Side(enum.StrEnum):
    """Who makes a statement that the other does not."""

    THEIRS = "theirs"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Context:
    """Both outcomes of one call; ``attached`` are the NICs that run the coordinator."""

    config: Config
    nic: IfName
    attached: tuple[IfName, ...]
    before: Pair
    theirs: frozenset[Statement]
    ours: frozenset[Statement]
    initially: frozenset[Statement]
    """What held before the first ADD, and what other plugins did since."""
    previously: frozenset[Statement]
    """What held before this call, in ours."""
    restored: frozenset[Statement] | None = None
    """What has to hold after a removal; None for an ADD."""

    def of(self, side: Side) -> frozenset[Statement]:
        return self.theirs if side is Side.THEIRS else self.ours

    @property
    def passage(self) -> IfName:
        """The pod's link to its node."""
        veth = self.before.pod.link(NODE_VETH) or any(s.link == NODE_VETH for s in self.ours)
        return NODE_VETH if veth else self.config.first_nic

    def views(self, side: Side) -> set[str]:
        """Sources and marks that a rule leads somewhere."""
        return {s.view for s in self.of(side) if s.kind is Kind.NUMBER and s.place == "pod"}

    def nic_of(self, view: str) -> IfName | None:
        """The NIC that has the address of ``from <address>``."""
        source = view.removeprefix("from ")
        if source == self.config.veth_link_address:
            return NODE_VETH
        return next(
            (e.link for e in self.before.pod.addresses if address_of(e.address) == source), None
        )

    def belongs_to_table(self, view: str, route: Route) -> bool:
        """Whether a complete table of ``view`` has the route: the NIC's own routes, policy
        routes, and by the passage the node, the cluster and, for replies, everything."""
        owner = self.nic_of(view)
        policies = {policy.destination for policy in self.config.policy_routes}
        own = _plain(route) in self._own_routes() or route.destination in policies
        if route.link == owner and own:
            return True
        if route.link != self.passage:
            return False
        reply = route.is_default and (view.startswith("mark") or owner == NODE_VETH)
        by_node = route.gateway in self.node_addresses
        return (reply and by_node) or self.leads_to_cluster(route)

    def is_complete(self, view: str) -> bool:
        """Whether ours leads whoever uses ``view`` to all that a complete table has."""
        family, owner = view_family(view), self.nic_of(view)
        routes = {s.route for s in self.ours if s.view == view and s.route is not None}
        by_passage = {r.destination for r in routes if r.link == self.passage}
        networks = {network_of(entry.address) for entry in self.before.pod.addresses}
        cluster = {p for p in self.config.cluster_cidrs if family_of(p) is family} - networks
        node = self.primary(family)
        if node is not None and not self._is_in_cluster(node):
            cluster.add(host_prefix(node))
        itself = {host_prefix(address_of(e.address)) for e in self.before.pod.addresses}
        own = {
            route
            for route in self._own_routes()
            if (route.link, route.family) == (owner, family) and route.destination not in itself
        }
        return cluster <= by_passage and own <= {_plain(route) for route in routes}

    def _is_in_cluster(self, address: Address) -> bool:
        return any(contains(prefix, address) for prefix in self.config.cluster_cidrs)

    def leads_to_cluster(self, route: Route) -> bool:
        """Whether it is a route by the passage to the node itself, or over it to the cluster."""
        if route.link != self.passage:
            return False
        if route.gateway is None:
            return route.destination in {host_prefix(a) for a in self.node_addresses}
        to_cluster = route.destination in self.config.cluster_cidrs
        return to_cluster and route.gateway in self.node_addresses

    def _own_routes(self) -> set[Route]:
        """What other plugins put into main."""
        main = (s.route for s in self.initially if s.view == MAIN_VIEW and s.place == "pod")
        return {_plain(route) for route in main if route is not None}

    def primary(self, family: Family) -> Address | None:
        """The node's address on the link of its default route, else its first one."""
        defaults = (r for r in self.before.node.routes if r.is_default and r.family is family)
        link = next((r.link for r in defaults if r.table == MAIN and r.link), None)
        entries = self.before.node.addresses_of(link or "", family)
        found = [address_of(entry.address) for entry in entries if entry.scope is Scope.GLOBAL]
        return next(iter((*found, *node_addresses(self.before.node, family))), None)

    @property
    def node_addresses(self) -> set[Address]:
        return {a for family in Family for a in node_addresses(self.before.node, family)}


def _plain(route: Route) -> Route:
    return replace(route, metric=0)
