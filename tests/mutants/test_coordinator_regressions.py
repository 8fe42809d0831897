"""Every regression scenario catches the mistake that it is named after.

A scenario is brought up once. Each of its mutants changes what the coordinator made into what
the old logic would have, in one namespace; the probes named there must fail, and after it is
undone, none may.
"""

from __future__ import annotations

import asyncio

import pytest
from coordinator_mutants import MUTANTS, Mutant
from live_scenario import SCENARIOS, LiveScenario, live

from harness.netns import isolated
from harness.scenario.reference import Place
from spiderpool.coordinator.advertised import is_learned
from spiderpool.coordinator.undo import undo
from spiderpool.netlink.apply import apply, apply_all
from spiderpool.netlink.dump import dump
from spiderpool.netlink.namespace import Namespace
from spiderpool.netlink.objects import NetState, RouteType
from spiderpool.netlink.operations import (
    AddRoute,
    DeleteAddress,
    DeleteNeighbour,
    DeleteRoute,
    Operation,
)
from spiderpool.netlink.selection import Selection

pytestmark = [pytest.mark.kernel, pytest.mark.binary("kubectl")]

MUTATED = sorted({mutant.scenario for mutant in MUTANTS})
_SYSCTLS = (
    "ipv4/conf/all/rp_filter",
    "ipv6/conf/net1/accept_ra",
    *(f"ipv4/conf/{nic}/arp_{what}" for nic in ("net1", "net2") for what in ("ignore", "announce")),
)
_SECONDS = 10.0
_EVERYTHING = Selection(sysctls=_SYSCTLS, reply_marks=True)


async def _failing_with(mutant: Mutant, bench: LiveScenario) -> tuple[str, ...]:
    namespace = bench.session.namespaces[bench.names.place(Place(mutant.place))]
    before = dump(namespace, _EVERYTHING)
    changes = tuple(mutant.rewrite(before))
    assert changes, f"{mutant.name}: changes nothing"
    apply(namespace, changes)
    _forget_neighbours(bench)
    try:
        await bench.advertise_again()
        await _in_force(mutant, namespace)
        return await bench.failing(all_of_them=True)
    finally:
        _restore(namespace, changes, before)
        _forget_neighbours(bench)


async def _in_force(mutant: Mutant, namespace: Namespace) -> None:
    async with asyncio.timeout(_SECONDS):
        while not mutant.works_once(dump(namespace)):
            await asyncio.sleep(0.01)


def _forget_neighbours(bench: LiveScenario) -> None:
    """Machines learn anew where addresses are."""
    for machine in bench.session.cluster.machines:
        namespace = bench.session.namespaces[machine]
        learned = (entry for entry in dump(namespace).neighbours if not entry.permanent)
        apply_all(namespace, [DeleteNeighbour(entry) for entry in learned if not entry.proxy])


def _restore(namespace: Namespace, changes: tuple[Operation, ...], before: NetState) -> None:
    """Undo, take away what the kernel has learned, and put back what it took away by itself."""
    apply(namespace, undo(changes, before))
    now = dump(namespace)
    apply(namespace, [DeleteAddress(a) for a in now.addresses if a.learned])
    learned = (r for r in now.routes if r not in before.routes and is_learned(r, now))
    apply(namespace, [DeleteRoute(route) for route in learned])
    present = dump(namespace).routes
    lost = [r for r in before.routes if r not in present and r.type is RouteType.UNICAST]
    apply(namespace, [AddRoute(r) for r in sorted(lost, key=lambda r: r.gateway is not None)])


async def _failing_by_mutant(scenario: str) -> dict[str, tuple[str, ...]]:
    async with live(scenario) as bench:
        found = {"none, before": await bench.failing(all_of_them=True)}
        for mutant in MUTANTS:
            if mutant.scenario == scenario:
                found[mutant.name] = await _failing_with(mutant, bench)
        return found | {"none, after": await bench.failing(all_of_them=True)}


@pytest.mark.parametrize("scenario", MUTATED)
def test_each_mutant_is_caught(scenario: str) -> None:
    found = isolated.call(lambda: asyncio.run(_failing_by_mutant(scenario)))
    assert not found.pop("none, before")
    assert not found.pop("none, after")
    mutants = {mutant.name: mutant for mutant in MUTANTS}
    missed = {name: _missed(mutants[name], set(failing)) for name, failing in found.items()}
    assert not any(missed.values()), missed


def _missed(mutant: Mutant, failing: set[str]) -> set[str]:
    """Expectations that hold although the mutant should break them."""
    choices = set(mutant.caught_by_one_of)
    return (set(mutant.caught) - failing) | (set() if choices & failing else choices)


def test_every_regression_has_a_mutant() -> None:
    folders = sorted(
        f"regressions/{file.parent.name}" for file in SCENARIOS.glob("regressions/*/*.yaml")
    )
    assert sorted(set(folders)) == MUTATED
