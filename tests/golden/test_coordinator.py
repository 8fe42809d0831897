"""A coordinator that lacks something, or does too much, is different from upstream's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from golden_files import golden

from harness.golden import inmemory
from harness.golden.compare import Judgement, Verdict
from harness.golden.coordinator import judge
from spiderpool.coordinator import plan, pod, removal
from spiderpool.coordinator.facts import Facts
from spiderpool.coordinator.plan import Plan
from spiderpool.coordinator.removal import Departure
from spiderpool.coordinator.scene import Scene
from spiderpool.errors import BadInput, SpiderpoolError
from spiderpool.netlink.operations import AddRoute, Operation, SetSysctl
from spiderpool.netlink.text import as_command
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import IfName

DIRECTORY = golden("coordinator")


def mutilated(monkeypatch: pytest.MonkeyPatch, case: str, call: int, place: int) -> Judgement:
    """Judge with one operation less: the one at ``place`` of the pod's and then the node's
    plan of the ADD number ``call``."""
    whole, calls = plan.plan, count()

    def lacking(facts: Facts) -> Plan:
        made = whole(facts)
        if next(calls) != call:
            return made
        operations = [*made.pod, *made.node]
        del operations[place]
        inside = len(made.pod) - (place < len(made.pod))
        return replace(made, pod=tuple(operations[:inside]), node=tuple(operations[inside:]))

    with monkeypatch.context() as patch:
        patch.setattr(inmemory, "plan", lacking)
        return judge(DIRECTORY, case)


def plans(monkeypatch: pytest.MonkeyPatch, case: str) -> list[list[Operation]]:
    """What each ADD of the case does."""
    found: list[list[Operation]] = []
    whole = plan.plan

    def kept(facts: Facts) -> Plan:
        made = whole(facts)
        found.append([*made.pod, *made.node])
        return made

    with monkeypatch.context() as patch:
        patch.setattr(inmemory, "plan", kept)
        judge(DIRECTORY, case)
    return found


@pytest.mark.parametrize("case", ["seed-overlay-2nic", "underlay-2nic", "overlay-2nic-dual-cidrs"])
def test_an_operation_less_is_a_difference(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for sysctls, which are not recorded."""
    tried = 0
    for call, operations in enumerate(plans(monkeypatch, case)):
        for place, operation in enumerate(operations):
            if isinstance(operation, SetSysctl):
                continue
            tried += 1
            try:
                verdict = mutilated(monkeypatch, case, call, place).verdict
            except SpiderpoolError:
                continue  # the rest of the plan cannot be carried out without it
            assert verdict is Verdict.DIFFERENT, as_command(operation)
    assert tried > 15


def test_a_removal_that_leaves_anything_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = removal.removal
    for place in range(4):

        def lacking(departure: Departure, place: int = place) -> Plan:
            gone = whole(departure)
            return replace(gone, pod=(*gone.pod[:place], *gone.pod[place + 1 :]))

        monkeypatch.setattr(inmemory, "removal", lacking)
        assert judge(DIRECTORY, "seed-overlay-2nic").verdict is Verdict.DIFFERENT


@pytest.mark.parametrize(
    ("says", "means"),
    [
        ("eth0's table leads to net1", ("99", "10.6.0.1", "net1")),
        ("net1's table leads to eth0", ("100", "169.254.1.1", "eth0")),
    ],
)
def test_what_a_plan_has_too_much_is_a_difference(
    says: str, means: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pod.pod_plan
    table, gateway, link = means

    def swollen(scene: Scene) -> Iterator[Operation]:
        for operation in whole(scene):
            yield operation
            if isinstance(operation, AddRoute) and operation.route.link == "eth0":
                route = operation.route
                if route.table == int(table) and route.destination == "10.233.0.0/18":
                    away = Prefix("172.16.0.0/12")
                    yield AddRoute(
                        replace(
                            route, destination=away, gateway=Address(gateway), link=IfName(link)
                        )
                    )

    monkeypatch.setattr(plan, "pod_plan", lambda scene: tuple(swollen(scene)))
    judgement = judge(DIRECTORY, "seed-overlay-2nic")
    assert judgement.verdict is Verdict.DIFFERENT, says


def test_a_case_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(DIRECTORY / "overlay-2nic", folder, copy_function=shutil.copyfile)
    (folder / "case.json").chmod(0o600)
    (folder / "case.json").write_text(json.dumps({"nics": []}))
    with pytest.raises(BadInput, match="broken: cannot be read"):
        judge(tmp_path, "broken")
