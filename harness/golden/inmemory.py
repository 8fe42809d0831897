"""A case played by the coordinator's pure functions, on states in memory."""

from __future__ import annotations

from harness.golden.recorded import Add, Case, Pair
from harness.golden.replay import Answer
from spiderpool.agent.configuration import configuration
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.facts import Facts
from spiderpool.coordinator.footprint import Footprint, footprint
from spiderpool.coordinator.plan import plan
from spiderpool.coordinator.removal import Departure, removal
from spiderpool.errors import SpiderpoolError
from spiderpool.netlink.apply import apply
from spiderpool.netlink.objects import NetState
from spiderpool.netlink.operations import Operation
from spiderpool.testing.pairs import PairedKernel
from spiderpool.types.modes import Mode
from spiderpool.types.names import IfName

_NODE_DESCRIPTOR = 3
"""Any number: in memory it only says that the veth's other end is born on the node."""


class MemoryStage:
    """Milliseconds a case, without any privilege."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._pair = Pair(NetState(), NetState())
        self._prints: dict[IfName, Footprint] = {}

    def arrange(self, wanted: Pair) -> None:
        self._pair = wanted

    def state(self) -> Pair:
        return self._pair

    def attach(self, add: Add, config: Config) -> Answer:
        try:
            configuration(add.netconf, self._case.coordinator, self._case.annotations)
            facts = Facts(
                pod=self._pair.pod,
                node=self._pair.node,
                nic=add.nic,
                container=add.container,
                config=config,
                expected_nics=self._case.nics,
                node_namespace=_NODE_DESCRIPTOR,
            )
            made = plan(facts)
            self._apply(made.pod, made.node)
        except SpiderpoolError as refusal:
            return Answer(str(refusal))
        if config.mode is not Mode.DISABLED:
            self._prints[add.nic] = footprint(facts, made, "")
        return Answer()

    def detach(self, add: Add, config: Config) -> Answer:
        if config.mode is not Mode.DISABLED:
            departure = Departure(
                node=self._pair.node,
                nic=add.nic,
                container=add.container,
                config=config,
                pod=self._pair.pod,
                footprint=self._prints.get(add.nic),
            )
            gone = removal(departure)
            self._apply(gone.pod, gone.node)
        return Answer()

    def _apply(self, pod: tuple[Operation, ...], node: tuple[Operation, ...]) -> None:
        inside, outside = PairedKernel.pair(self._pair.pod, self._pair.node)
        apply(inside, pod)
        apply(outside, node)
        self._pair = Pair(inside.state, outside.state)
