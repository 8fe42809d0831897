"""Observe what an expectation is about, and have it judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from harness.expect.judge import Observed, judge
from harness.expect.names import Names
from harness.expect.paths import Contrast
from harness.expect.resolve import resolve
from harness.expect.verdict import Verdict, failed
from harness.run.emulated import EmulatedCluster
from harness.run.kubectl import KubectlFailed
from harness.run.session import Session
from harness.scenario.expectations import (
    Blocked,
    Checked,
    EventSays,
    Expectation,
    Invariants,
    NetworkHas,
    NicsHave,
    ObjectHas,
    Probe,
    Reaches,
    Refused,
    Table,
    TableHas,
)
from harness.scenario.model import Manifests, ManifestVerb
from harness.scenario.reference import Place
from harness.trace.explain import explain
from harness.trace.observe import Observation, observe
from spiderpool.ctl.check import broken_rules
from spiderpool.errors import CniError, SpiderpoolError
from spiderpool.kube.resources import EVENT
from spiderpool.netlink.dump import dump
from spiderpool.netlink.selection import EVERYTHING, Selection
from spiderpool.types.names import IfName, TableID

POLL_SECONDS = 0.05
BLOCKED_PATIENCE_SECONDS = 2.5
"""A refusal that arrives while connect(2) holds the socket is only noted by the kernel; the
SYN that it sends again after a second is refused for good."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, with the observation of the probe that it is about, if any."""

    verdict: Verdict
    observation: Observation | None = None
    explanation: tuple[str, ...] = field(default=())


Awaited = ObjectHas | EventSays | TableHas | Invariants | NetworkHas | NicsHave
"""What may need some time to come."""


class Judge:
    """Judges expectations of one session; ``controls`` are all expectations by id."""

    def __init__(self, session: Session, controls: Mapping[str, Expectation]) -> None:
        self._session, self._controls = session, controls
        self._asking = {
            ObjectHas: self._object,
            EventSays: self._events,
            TableHas: self._table,
            Invariants: self._broken_rules,
            NetworkHas: self._state,
            NicsHave: self._state,
        }

    async def judge(self, expectation: Expectation) -> Judgement:
        """The verdict; what cannot even be observed fails."""
        try:
            names = await self._session.names()
            if isinstance(expectation, Awaited):
                return Judgement(await self._in_time(expectation))
            match expectation:
                case Refused():
                    complaint = await self._complaint(expectation)
                    return Judgement(judge(expectation, complaint, names))
                case Checked():
                    complaint = await self._check(expectation, names)
                    return Judgement(judge(expectation, complaint, names))
                case Reaches():
                    return await self._reaches(expectation, names)
                case Blocked():
                    return await self._blocked(expectation, names)
        except SpiderpoolError as error:
            return Judgement(failed(expectation, str(error)))

    async def _in_time(self, expectation: Awaited) -> Verdict:
        """Asks until what is expected is there, or the time for it is over."""
        deadline = time.monotonic() + expectation.within
        ask = self._asking[type(expectation)]
        while True:
            names = await self._session.names()
            verdict = judge(expectation, await _asked(ask, expectation, names), names)
            if verdict.ok or time.monotonic() > deadline:
                return verdict
            await asyncio.sleep(POLL_SECONDS)

    async def _object(self, expectation: Expectation, names: Names) -> Observed:
        assert isinstance(expectation, ObjectHas)
        what = names.text(expectation.object, expectation.bound)
        return await self._session.get(what, "-n", expectation.namespace)

    async def _events(self, expectation: Expectation, names: Names) -> Observed:
        assert isinstance(expectation, EventSays)
        kind, _, name = names.text(expectation.object, expectation.bound).partition("/")
        listed = await self._session.cluster.client.list(
            EVENT, expectation.namespace, field_selector=f"involvedObject.name={name}"
        )
        about = (event for event in listed["items"] if event["involvedObject"]["name"] == name)
        return [event for event in about if event["involvedObject"]["kind"].lower() == kind]

    async def _complaint(self, expectation: Refused) -> str:
        try:
            await self._session.cluster.write(
                Manifests(expectation.where, ManifestVerb.APPLY, (expectation.file,))
            )
        except KubectlFailed as refusal:
            return str(refusal).partition(f"{expectation.file}: ")[2]
        return ""

    async def _table(self, expectation: Expectation, names: Names) -> Observed:
        assert isinstance(expectation, TableHas)
        return await self._session.cluster.kubectl.run("get", *expectation.arguments)

    async def _broken_rules(self, expectation: Expectation, names: Names) -> Observed:
        return "\n".join(map(str, await broken_rules(self._session.cluster.client)))

    async def _state(self, expectation: Expectation, names: Names) -> Observed:
        assert isinstance(expectation, NetworkHas | NicsHave)
        return dump(self._session.namespaces[names.place(expectation.place)], wanted(expectation))

    async def _check(self, expectation: Checked, names: Names) -> str:
        """What the plugins complain of; empty when they are content."""
        cluster, nic = self._session.cluster, expectation.nic
        assert isinstance(cluster, EmulatedCluster)  # others are refused such expectations
        node = names.place(Place(nic.place.name, node=True))
        try:
            await cluster.check_nic(node, names.place(nic.place), IfName(nic.nic or ""))
        except CniError as error:
            return str(error)
        return ""

    async def _reaches(self, expectation: Reaches, names: Names) -> Judgement:
        seen = await self._probe(expectation.probe, names)
        verdict = judge(expectation, seen, names)
        why = () if verdict.ok else explain(seen, self._session.namespaces)
        return Judgement(verdict, seen, why)

    async def _blocked(self, expectation: Blocked, names: Names) -> Judgement:
        seen = await self._probe(expectation.probe, names, BLOCKED_PATIENCE_SECONDS)
        control = self._controls[expectation.control]
        assert isinstance(control, Reaches)
        shown = await self._reaches(control, names)
        verdict = judge(expectation, Contrast(seen, shown.verdict), names)
        why = () if verdict.ok else explain(seen, self._session.namespaces)
        return Judgement(verdict, seen, why)

    async def _probe(
        self, probe: Probe, names: Names, patience: float | None = None
    ) -> Observation:
        sending = resolve(probe, names)
        session = self._session
        arguments = (sending, session.namespaces, session.capture, session.wires())
        if patience is None:
            return await observe(*arguments)
        return await observe(*arguments, patience)


def wanted(expectation: NetworkHas | NicsHave) -> Selection:
    """What to read to judge it: the table ``local`` is read when it is asked for only."""
    if isinstance(expectation, NetworkHas) and expectation.table is Table.ROUTES:
        return Selection(tables=(TableID(expectation.number),))
    return EVERYTHING


async def _asked(
    ask: Callable[[Expectation, Names], Awaitable[Observed]],
    expectation: Expectation,
    names: Names,
) -> Observed:
    return await ask(expectation, names)
