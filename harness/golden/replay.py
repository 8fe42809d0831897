"""Our coordinator on the input of a recorded case.

What other plugins did between two calls (a NIC appeared, with addresses and routes) is
taken from the recorded states and done to ours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from harness.golden.recorded import Add, Case, Pair
from spiderpool.agent.configuration import configuration
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.present import legs, route_key
from spiderpool.errors import BadInput
from spiderpool.netlink.apply import apply
from spiderpool.netlink.objects import NetState, Route
from spiderpool.netlink.objects import Protocol as Origin
from spiderpool.netlink.operations import AddRoute
from spiderpool.testing.pairs import PairedKernel
from spiderpool.types.address import Family
from spiderpool.types.names import IfName


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call answered; ``refusal`` is empty when it succeeded.

    ``result`` is the JSON object; None where a call in memory makes none.
    """

    refusal: str = ""
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """What one of our calls led to."""

    nic: IfName
    config: Config
    before: Pair
    after: Pair
    answer: Answer = field(default_factory=Answer)


@dataclass(frozen=True, slots=True)
class Outcome:
    """ADDs and DELs, in the order of the recorded ones."""

    adds: tuple[Ours, ...]
    removals: tuple[Ours, ...]


class Stage(Protocol):
    """Where a case is played: two namespaces and a coordinator."""

    def arrange(self, wanted: Pair) -> None:
        """Make the namespaces so, by other means than the coordinator's."""
        ...

    def attach(self, add: Add, config: Config) -> Answer: ...

    def detach(self, add: Add, config: Config) -> Answer: ...

    def state(self) -> Pair:
        """What both namespaces hold now."""
        ...


def replay(case: Case, stage: Stage) -> Outcome:
    """All calls of the case."""
    adds: list[Ours] = []
    wanted, left = case.adds[0].before, None
    for add in case.adds:
        if left is not None:
            wanted = _with_changes(stage.state(), left, add.before)
        stage.arrange(wanted)
        before, config = stage.state(), _configuration(case, add)
        answer = stage.attach(add, config)
        adds.append(Ours(add.nic, config, before, stage.state(), answer))
        left = add.after
    removals = [_removal(case, nic, stage) for nic, _ in case.removals]
    return Outcome(tuple(adds), tuple(removals))


def _removal(case: Case, nic: IfName, stage: Stage) -> Ours:
    add = next(add for add in case.adds if add.nic == nic)
    before, config = stage.state(), _configuration(case, add)
    answer = stage.detach(add, config)
    return Ours(nic, config, before, stage.state(), answer)


def _configuration(case: Case, add: Add) -> Config:
    """What the call is about; defaults where it is refused for its configuration."""
    try:
        return configuration(add.netconf, case.coordinator, case.annotations)
    except BadInput:
        return Config()


def _with_changes(ours: Pair, left: Pair, found: Pair) -> Pair:
    """Do to ours what turned ``left`` into ``found``: links, addresses and routes came."""
    return Pair(
        _with_new(ours.pod, left.pod, found.pod), _with_new(ours.node, left.node, found.node)
    )


def _with_new(ours: NetState, left: NetState, found: NetState) -> NetState:
    """IPAM plugins put IPv4 routes ahead of those that are there."""
    known = {link.name for link in left.links}
    routes = _new_routes(left, found)
    ahead = [one for one in routes if one.family is Family.V4 or one.protocol == Origin.KERNEL]
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
