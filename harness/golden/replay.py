"""Our coordinator on the input of a recorded case, in memory.

What other plugins did between two calls (a NIC appeared, with addresses and routes) is
taken from the recorded states and done to ours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from harness.golden.recorded import Add, Case, Pair
from spiderpool.agent.configuration import configuration
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.facts import Facts
from spiderpool.coordinator.footprint import Footprint, footprint
from spiderpool.coordinator.plan import Plan, plan
from spiderpool.coordinator.present import legs, route_key
from spiderpool.coordinator.removal import Departure, removal
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.apply import apply
from spiderpool.netlink.objects import NetState, Protocol, Route
from spiderpool.netlink.operations import AddRoute, Operation
from spiderpool.testing.pairs import PairedKernel
from spiderpool.types.address import Family
from spiderpool.types.modes import Mode
from spiderpool.types.names import IfName

_NODE_DESCRIPTOR = 3
"""Any number: in memory it only says that the veth's other end is born on the node."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What one of our calls led to; ``refusal`` is empty when it succeeded."""

    nic: IfName
    config: Config
    before: Pair
    after: Pair
    refusal: str = ""
    mac: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Our ADDs and DELs, in the order of the recorded ones."""

    adds: tuple[Ours, ...]
    removals: tuple[Ours, ...]


def replay(case: Case) -> Outcome:
    """All calls of the case, by us."""
    adds, prints = [], {}
    state, left = case.adds[0].before, None
    for add in case.adds:
        if left is not None:
            state = _with_changes(state, left, add.before)
        ours, known = _attach(case, add, state)
        adds.append(ours)
        prints[add.nic] = known
        state, left = ours.after, add.after
    removals = []
    for nic, _ in case.removals:
        one = next(ours for ours in adds if ours.nic == nic)
        gone = _detach(case, one, state, prints[nic])
        removals.append(gone)
        state = gone.after
    return Outcome(tuple(adds), tuple(removals))


def _attach(case: Case, add: Add, state: Pair) -> tuple[Ours, Footprint | None]:
    config = Config()
    try:
        config = configuration(add.netconf, case.coordinator, case.annotations)
        facts = Facts(
            pod=state.pod,
            node=state.node,
            nic=add.nic,
            container=add.container,
            config=config,
            expected_nics=case.nics,
            node_namespace=_NODE_DESCRIPTOR,
        )
        made = plan(facts)
        known = footprint(facts, made, "") if config.mode is not Mode.DISABLED else None
        after = _applied(state, made.pod, made.node)
    except SpiderpoolError as refusal:
        return Ours(add.nic, config, state, state, str(refusal)), None
    return Ours(add.nic, config, state, after, mac=made.mac), known


def _detach(case: Case, attached: Ours, state: Pair, known: Footprint | None) -> Ours:
    departure = Departure(
        node=state.node,
        nic=attached.nic,
        container=next(add.container for add in case.adds if add.nic == attached.nic),
        config=attached.config,
        pod=state.pod,
        footprint=known,
    )
    gone = removal(departure) if attached.config.mode is not Mode.DISABLED else Plan()
    after = _applied(state, gone.pod, gone.node)
    return Ours(attached.nic, attached.config, state, after)


def _applied(state: Pair, pod: tuple[Operation, ...], node: tuple[Operation, ...]) -> Pair:
    inside, outside = PairedKernel.pair(state.pod, state.node)
    apply(inside, pod)
    apply(outside, node)
    return Pair(inside.state, outside.state)


def _with_changes(ours: Pair, left: Pair, found: Pair) -> Pair:
    """Do to ours what turned ``left`` into ``found``: links, addresses and routes came."""
    return Pair(
        _with_new(ours.pod, left.pod, found.pod), _with_new(ours.node, left.node, found.node)
    )


def _with_new(ours: NetState, left: NetState, found: NetState) -> NetState:
    """IPAM plugins put IPv4 routes ahead of those that are there."""
    known = {link.name for link in left.links}
    routes = _new_routes(left, found)
    ahead = [one for one in routes if one.family is Family.V4 or one.protocol == Protocol.KERNEL]
    state = replace(
        ours,
        links=(*ours.links, *(link for link in found.links if link.name not in known)),
        addresses=(
            *ours.addresses,
            *(entry for entry in found.addresses if entry not in left.addresses),
        ),
        routes=(*ahead, *ours.routes),
    )
    kernel, _ = PairedKernel.pair(state, state)
    apply(kernel, [AddRoute(route) for route in routes if route not in ahead])
    return kernel.state


def _new_routes(left: NetState, found: NetState) -> list[Route]:
    """Legs of routes, since IPv6 merges new ones into those that were there."""
    count = Counter(route_key(leg) for route in left.routes for leg in legs(route))
    new = []
    for leg in (leg for route in found.routes for leg in legs(route)):
        count[route_key(leg)] -= 1
        if count[route_key(leg)] < 0:
            new.append(leg)
    return new
