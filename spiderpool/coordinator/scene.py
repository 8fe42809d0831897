"""The facts of one attachment with what every rule of the plan asks of them, worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from spiderpool.coordinator.advertised import as_given
from spiderpool.coordinator.facts import (
    Facts,
    Passage,
    families_of,
    is_local,
    mode_of,
    node_addresses,
    passage_of,
    primary_address,
    usable_addresses,
)
from spiderpool.coordinator.nics import NODE_VETH, ensure_distinct, priority_of, table_of
from spiderpool.coordinator.present import legs
from spiderpool.netlink.objects import Route, RouteType
from spiderpool.types.address import Address, Family, Prefix, contains, family_of
from spiderpool.types.modes import Mode
from spiderpool.types.names import MAIN, IfName, TableID


@dataclass(frozen=True, slots=True)
class Way:
    """How one family's cluster traffic leaves the pod.

    ``gateway`` is the node's own primary address; ``node_addresses`` are those of the node
    that need a route of their own, the gateway first; ``prefixes`` are the cluster's.
    """

    family: Family
    gateway: Address
    node_addresses: tuple[Address, ...]
    prefixes: tuple[Prefix, ...]
    source: Address | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Facts, and what follows from them for the NIC at hand."""

    facts: Facts
    mode: Mode
    passage: Passage
    families: tuple[Family, ...]
    nics: tuple[IfName, ...]
    """The pod's NICs with usable addresses, the first NIC ahead, then by link index."""
    ways: tuple[Way, ...]
    warnings: tuple[str, ...]
    addresses_of: Mapping[IfName, tuple[Address, ...]]
    """Usable addresses of the NICs in the families at hand."""
    legs: tuple[Route, ...]
    """Unicast routes of the pod in those families, one for each next hop, without those of
    IPv6 that the kernel keeps for each link."""

    @property
    def nic(self) -> IfName:
        return self.facts.nic

    @property
    def is_first(self) -> bool:
        return self.nic == self.facts.config.first_nic

    def table(self, nic: IfName) -> TableID:
        return table_of(nic, self.facts.config.first_nic)

    def priority(self, nic: IfName) -> int:
        return priority_of(nic, self.facts.config.first_nic)

    def addresses(self, nic: IfName) -> tuple[Address, ...]:
        """Usable addresses of a NIC in the families at hand."""
        return self.addresses_of.get(nic, ())

    def families_of(self, nic: IfName) -> tuple[Family, ...]:
        """The families at hand in which a NIC has addresses."""
        present = {family_of(address) for address in self.addresses(nic)}
        return tuple(family for family in self.families if family in present)

    def legs_of(self, nic: IfName, table: TableID) -> Iterator[Route]:
        """Routes by the NIC in one table."""
        return (leg for leg in self.legs if leg.link == nic and leg.table == table)

    def defaults_of(self, nic: IfName) -> tuple[Route, ...]:
        """The NIC's own default routes: those in main, else those in its own table."""
        in_main = tuple(leg for leg in self.legs_of(nic, MAIN) if leg.is_default)
        own = tuple(leg for leg in self.legs_of(nic, self.table(nic)) if leg.is_default)
        families = {leg.family for leg in in_main}
        return in_main + tuple(leg for leg in own if leg.family not in families)


def survey(facts: Facts) -> Scene:
    """Work out the scene; the mode must not be DISABLED.

    Raises:
        BadInput: what was asked for cannot be done in this pod.
    """
    mode, facts = mode_of(facts), as_given(facts)
    families = families_of(facts)
    passage = passage_of(facts, mode)
    addresses = {
        link.name: _addresses_in(facts, link.name, families)
        for link in facts.pod.links
        if not link.loopback
    }
    nics = _nics(facts, addresses)
    ensure_distinct((*nics, NODE_VETH), facts.config.first_nic)
    ways, warnings = _ways(facts, passage, families)
    routes = tuple(_relevant_legs(facts, families))
    return Scene(facts, mode, passage, families, nics, ways, warnings, addresses, routes)


def _addresses_in(facts: Facts, nic: IfName, families: tuple[Family, ...]) -> tuple[Address, ...]:
    return tuple(a for family in families for a in usable_addresses(facts.pod, nic, family))


def _nics(facts: Facts, addresses: Mapping[IfName, tuple[Address, ...]]) -> tuple[IfName, ...]:
    first = facts.config.first_nic
    links = sorted(facts.pod.links, key=lambda link: (link.name != first, link.index))
    return tuple(link.name for link in links if addresses.get(link.name) and link.name != NODE_VETH)


def _relevant_legs(facts: Facts, families: tuple[Family, ...]) -> Iterator[Route]:
    for route in facts.pod.routes:
        kept_by_kernel = route.family is Family.V6 and is_local(route.destination)
        if route.type is RouteType.UNICAST and route.family in families and not kept_by_kernel:
            yield from legs(route)


def _ways(
    facts: Facts, passage: Passage, families: tuple[Family, ...]
) -> tuple[tuple[Way, ...], tuple[str, ...]]:
    ways, warnings = [], []
    for family in families:
        prefixes = tuple(p for p in facts.config.cluster_cidrs if _is_of(p, family))
        gateway = primary_address(facts, family)
        if gateway is None:
            if prefixes:
                lost = f"no routes to {', '.join(prefixes)}"
                warnings.append(f"the node has no IPv{family.number} address: {lost}")
            continue
        direct = tuple(
            address
            for address in node_addresses(facts.node, family)
            if address != gateway and not any(contains(prefix, address) for prefix in prefixes)
        )
        source = _source(facts, passage, family)
        ways.append(Way(family, gateway, (gateway, *direct), prefixes, source))
    return tuple(ways), tuple(warnings)


def _is_of(prefix: Prefix, family: Family) -> bool:
    return (":" in prefix) is (family is Family.V6)


def _source(facts: Facts, passage: Passage, family: Family) -> Address | None:
    """What the pod speaks from to the node by a veth without an address of that family.

    By eth0 the kernel picks eth0's address by itself. By ``veth0`` it would pick the link
    address given to it, or any NIC's. IPv6 prefers other rules and refuses a source that is
    still tentative, so it gets one only where the link address would win.
    """
    first = facts.config.first_nic
    if passage.pod_link == first:
        return None
    veth_address = facts.config.veth_link_address
    if family is Family.V6 and (veth_address is None or ":" not in veth_address):
        return None
    return next(iter(usable_addresses(facts.pod, first, family)), None)
