"""A coordinator that lacks something, or does too much, is different from upstream's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from golden_files import golden

from harness.golden.compare import Verdict
from harness.golden.coordinator import judge
from spiderpool.coordinator import plan as plans
from spiderpool.coordinator import pod
from spiderpool.coordinator.scene import Scene
from spiderpool.errors import BadInput
from spiderpool.netlink.operations import AddRoute, AddRule, DeleteRoute, Operation, SetNeighbour
from spiderpool.types.address import Address, Prefix
from spiderpool.types.names import IfName

DIRECTORY = golden("coordinator")


Mutant = Callable[[Operation], bool]

MUTANTS: dict[str, Mutant] = {
    "net1's rule is forgotten": lambda op: isinstance(op, AddRule) and op.rule.table == 100,
    "net1's default stays in main": lambda op: isinstance(op, DeleteRoute),
    "main has no cluster routes": lambda op: (
        isinstance(op, AddRoute) and op.route.table == 254 and op.route.gateway is not None
    ),
    "the node has no route of its own": lambda op: (
        isinstance(op, AddRoute) and op.route.destination == "10.6.212.132/32"
    ),
    "net1's table has no default": lambda op: (
        isinstance(op, AddRoute) and op.route.table == 100 and op.route.is_default
    ),
    "the pod does not know the node's MAC": lambda op: isinstance(op, SetNeighbour),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_what_a_plan_lacks_is_a_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pod.pod_plan

    def mutilated(scene: Scene) -> tuple[Operation, ...]:
        return tuple(op for op in whole(scene) if not MUTANTS[name](op))

    monkeypatch.setattr(plans, "pod_plan", mutilated)
    judgement = judge(DIRECTORY, "seed-overlay-2nic")
    assert judgement.verdict is Verdict.DIFFERENT, name


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

    monkeypatch.setattr(plans, "pod_plan", lambda scene: tuple(swollen(scene)))
    judgement = judge(DIRECTORY, "seed-overlay-2nic")
    assert judgement.verdict is Verdict.DIFFERENT, says


def test_a_case_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(DIRECTORY / "overlay-2nic", folder, copy_function=shutil.copyfile)
    (folder / "case.json").chmod(0o600)
    (folder / "case.json").write_text(json.dumps({"nics": []}))
    with pytest.raises(BadInput, match="broken: cannot be read"):
        judge(tmp_path, "broken")
