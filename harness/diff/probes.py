"""The probes of a recorded case: who sends a packet to whom, in a state of its namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.golden.recorded import Case, Pair
from harness.scenario.expectations import Protocol
from harness.trace.observe import Sending
from spiderpool.coordinator.facts import is_local, node_addresses, usable_addresses
from spiderpool.netlink.objects import NetState
from spiderpool.types.address import Address, Family, address_of, family_of, from_int, to_int

POD, NODE, FAR = "pod", "node", "lan"
"""The places of a case; in the last one are the far ends of the node's and the pod's NICs."""

OUTSIDE = {Family.V4: Address("192.0.2.1"), Family.V6: Address("2001:db8::1")}
"""RFC 5737 and RFC 3849: a host behind the gateways, which answers the nearest way."""

CLIENT = {Family.V4: Address("198.51.100.1"), Family.V6: Address("2001:db8:1::1")}
"""A host that reaches pods by their node only, as clients of a NodePort do."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One echo request and the answer to it."""

    name: str
    sending: Sending

    @property
    def is_of_lan(self) -> bool:
        """Whether a neighbour of the pod or of the node sends it."""
        return self.sending.place == FAR and self.sending.source not in CLIENT.values()


def probes_of(case: Case, state: Pair, lan: NetState) -> tuple[Probe, ...]:
    """node -> pod, LAN -> pod, outside by the node -> pod, and pod -> node, services, other
    pods, LAN, outside; to and from each address that the pod has."""
    neighbours = [address_of(e.address) for e in lan.addresses if not is_local(e.address)]
    return tuple(
        probe
        for family in Family
        for probe in _probes(case, state, [a for a in neighbours if family_of(a) is family], family)
    )


def _probes(case: Case, state: Pair, neighbours: list[Address], family: Family) -> Iterator[Probe]:
    sources = {
        nic: addresses[0]
        for nic in case.nics
        if (addresses := usable_addresses(state.pod, nic, family))
    }
    for nic, address in sources.items():
        yield _probe(f"node -> pod {nic}", NODE, address)
        if uplink_gateway(state, family) is not None:
            yield _probe(f"outside, by the node -> pod {nic}", FAR, address, CLIENT[family])
        for gateway in neighbours:
            yield _probe(f"lan {gateway} -> pod {nic}", FAR, address, gateway)
    targets = [*_targets(case, state, family), *(("lan", gateway) for gateway in neighbours)]
    for name, target in targets if sources else ():
        yield _probe(f"pod -> {name}", POD, target)
        for nic, address in sources.items():
            yield _probe(f"pod {nic} -> {name}", POD, target, address)


def _probe(name: str, place: str, target: Address, source: Address | None = None) -> Probe:
    return Probe(f"{name} {target}", Sending(Protocol.ICMP, place, target, source=source))


def _targets(case: Case, state: Pair, family: Family) -> Iterator[tuple[str, Address]]:
    yield from (("node", address) for address in node_addresses(state.node, family)[:1])
    yield from behind_the_node(case, family)
    yield "outside", OUTSIDE[family]


def behind_the_node(case: Case, family: Family) -> Iterator[tuple[str, Address]]:
    """A service and another pod: addresses that only the node leads to."""
    for name, key in (("service", "serviceCIDR"), ("other pods", "overlayPodCIDR")):
        for cidr in case.coordinator["status"][key]:
            if family_of(cidr) is family:
                yield name, from_int(to_int(address_of(cidr)) + 3, family)


def uplink_gateway(state: Pair, family: Family) -> tuple[str, Address] | None:
    """The link and the gateway of the node's default route."""
    for route in state.node.routes:
        if route.is_default and route.family is family and route.link and route.gateway:
            return route.link, route.gateway
    return None
