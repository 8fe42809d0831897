"""A recorded case's calls through our plugin and through another executable, compared.

Both start from the recorded states; upstream's recorded results play no part. After each call
every probe is sent for real, and heard on every NIC of the pod and the node.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.capture.capture import Capture
from harness.capture.frame import Frame
from harness.capture.packet import neighbour_answered_for, neighbour_asked_for
from harness.diff.compared import Compared, side_by_side
from harness.diff.courses import Course, Ground, courses
from harness.diff.farends import on_lan, on_node
from harness.diff.marks import reply_marks
from harness.diff.probes import FAR, NODE, POD, Probe, probes_of
from harness.golden.context import Side
from harness.golden.coordinator import named_links
from harness.golden.meaning import meaning
from harness.golden.plugins import BesideAnAgent, Executable, Foreign, OurCoordinator
from harness.golden.recorded import Add, Case, Pair
from harness.golden.replay import Answer, Ours, replay
from harness.golden.stage import KernelStage
from harness.netns import isolated
from harness.netns.capabilities import has_ipv6
from harness.netns.ledger import Ledger
from harness.netns.sandbox import RUN
from harness.trace.observe import Observation, observe_all, read_wires
from harness.trace.wires import Nic
from spiderpool.coordinator.config import Config
from spiderpool.coordinator.undo import undo
from spiderpool.netlink.apply import apply, apply_all
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import Neighbour
from spiderpool.netlink.operations import DeleteNeighbour, Operation
from spiderpool.types.address import Address, Family
from spiderpool.types.names import IfName

PATIENCE_SECONDS = 1.0
"""All answers come from this machine, within milliseconds."""

Courses = dict[str, Course]


def compare(case: Case, implementation: Path) -> list[Compared]:
    """All calls of the case, each side in namespaces of its own.

    Raises:
        SandboxRefused: this machine gives no namespaces.
        BadInput: the executable cannot be run.
    """
    return isolated.call(_compare, case, implementation)


def _compare(case: Case, implementation: Path) -> list[Compared]:
    logging.disable(logging.CRITICAL)

    def other(node: Namespace) -> Executable:
        return BesideAnAgent(Foreign(implementation, node), case.configuration)

    theirs = _play(case, other)
    ours = _play(case, lambda node: OurCoordinator(case, node, RUN))
    return [_compared(case, *pair) for pair in zip(theirs, ours, strict=True)]


@dataclass(frozen=True, slots=True)
class _Played:
    call: str
    outcome: Ours
    courses: Courses


class _Probed:
    """A stage whose probes are sent after each call."""

    def __init__(self, case: Case, stage: KernelStage, capture: Capture) -> None:
        self._case, self._stage, self._capture = case, stage, capture
        self._namespaces = {POD: stage.pod, NODE: stage.node, FAR: stage.elsewhere}
        for place, namespace in self._namespaces.items():
            capture.add(place, namespace)
        self.taken: list[Courses] = []

    def arrange(self, wanted: Pair) -> None:
        self._stage.arrange(wanted)

    def state(self) -> Pair:
        return self._stage.state()

    def attach(self, add: Add, config: Config) -> Answer:
        return self._then_probe(self._stage.attach(add, config))

    def detach(self, add: Add, config: Config) -> Answer:
        return self._then_probe(self._stage.detach(add, config))

    def _then_probe(self, answer: Answer) -> Answer:
        state, lan = self.state(), dump(self._stage.elsewhere)
        probes = probes_of(self._case, state, lan)
        families = tuple(Family) if has_ipv6() else (Family.V4,)
        self._forget_neighbours(())
        with (
            _done(self._stage.elsewhere, tuple(on_lan(state, lan, families))),
            _done(self._stage.node, tuple(on_node(self._case))),
        ):
            seen = asyncio.run(self._send(probes))
            places = {place: self._namespaces[place] for place in (POD, NODE)}
            ground = Ground(
                places,
                dict(reply_marks(POD, state.pod)),
                frozenset(places),
                rivals=dict(_rivals(seen)),
            )
            found = courses(seen, ground)
        self._forget_neighbours(
            frame for frames in {one.frames for one in seen} for frame in frames
        )
        self.taken.append({one.name: it for one, it in zip(probes, found, strict=True)})
        return answer

    def _forget_neighbours(self, frames: Iterable[Frame]) -> None:
        """Nobody keeps a MAC, nor that nobody answered when it was asked for in ``frames``."""
        asked = [
            (frame.place, Neighbour(IfName(frame.link), address, permanent=False))
            for frame in frames
            if frame.outgoing and (address := neighbour_asked_for(frame)) is not None
        ]
        for place, namespace in self._namespaces.items():
            known = [entry for entry in dump(namespace).neighbours if not entry.permanent]
            known += [entry for where, entry in asked if where == place]
            apply_all(namespace, [DeleteNeighbour(entry) for entry in dict.fromkeys(known)])

    async def _send(self, probes: tuple[Probe, ...]) -> list[Observation]:
        """The LAN's first, so that it asks for the pod's MACs before it can have learned them."""
        wires = read_wires(self._namespaces, {POD: NODE, NODE: FAR}, FAR)
        heard = self._namespaces, self._capture, wires, PATIENCE_SECONDS
        found: dict[Probe, Observation] = {}
        for of_lan in (True, False):
            now = [one for one in probes if one.is_of_lan is of_lan]
            seen = await observe_all([one.sending for one in now], *heard)
            found |= dict(zip(now, seen, strict=True))
        return [found[one] for one in probes]


def _rivals(seen: Iterable[Observation]) -> Iterator[tuple[Address, tuple[str, ...]]]:
    """Of each address that the LAN sent to, the pod's NICs that answered for its MAC."""
    for one in seen:
        if one.sending.place == FAR:
            told = {
                str(Nic(POD, frame.link))
                for frame in one.frames
                if frame.place == POD
                and frame.outgoing
                and neighbour_answered_for(frame) == one.sending.target
            }
            yield one.sending.target, tuple(sorted(told))


@contextmanager
def _done(namespace: Namespace, operations: tuple[Operation, ...]) -> Iterator[None]:
    before = dump(namespace)
    apply(namespace, operations)
    yield
    apply(namespace, undo(operations, before))


def _play(case: Case, plugin: Callable[[Namespace], Executable]) -> list[_Played]:
    with Ledger() as ledger, Capture() as capture:
        stage = _Probed(case, KernelStage(ledger, plugin), capture)
        outcome = replay(case, stage)
    calls = [f"ADD {one.nic}" for one in outcome.adds]
    calls += [f"DEL {one.nic}" for one in outcome.removals]
    outcomes = (*outcome.adds, *outcome.removals)
    return [_Played(*one) for one in zip(calls, outcomes, stage.taken, strict=True)]


def _compared(case: Case, theirs: _Played, ours: _Played) -> Compared:
    statements = tuple(_statements(case, theirs.outcome, ours.outcome))
    return Compared(ours.call, statements, side_by_side(theirs.courses, ours.courses))


def _statements(case: Case, theirs: Ours, ours: Ours) -> Iterator[tuple[Side, str]]:
    """A refusal that the other does not share, then what the namespaces hold."""
    if bool(theirs.answer.refusal) is not bool(ours.answer.refusal):
        side = Side.THEIRS if theirs.answer.refusal else Side.OURS
        yield side, f"refused: {theirs.answer.refusal or ours.answer.refusal}"
    named = named_links(case)
    there, here = meaning(theirs.after, named), meaning(ours.after, named)
    yield from ((Side.THEIRS, str(statement)) for statement in sorted(there - here, key=str))
    yield from ((Side.OURS, str(statement)) for statement in sorted(here - there, key=str))
