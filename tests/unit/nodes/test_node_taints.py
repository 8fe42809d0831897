"""Taints follow a node's state, and those of others stay."""

from __future__ import annotations

from typing import Any

import pytest

from harness.nodes.control.actions import Patch
from harness.nodes.control.nodes import taint_plan
from spiderpool.kube.resources import NODE

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
EVICTED = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
FOREIGN = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}


def node(*taints: dict[str, str], ready: str = "True", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "n", "resourceVersion": "7"},
        "spec": {**spec, "taints": list(taints)},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def after(obj: dict[str, Any]) -> Any:
    (patch,) = taint_plan(obj)
    assert isinstance(patch, Patch)
    assert patch.resource == NODE
    assert patch.body["metadata"] == {"resourceVersion": "7"}
    return patch.body["spec"]["taints"]


def test_a_ready_node_loses_the_taint_of_its_creation() -> None:
    assert after(node(NOT_READY)) is None
    assert after(node(NOT_READY, FOREIGN, EVICTED)) == [FOREIGN, EVICTED]


def test_state_becomes_a_taint() -> None:
    assert after(node(FOREIGN, ready="Unknown")) == [FOREIGN, NOT_READY]
    assert after(node(unschedulable=True)) == [UNSCHEDULABLE]
    assert after(node(UNSCHEDULABLE)) is None


@pytest.mark.parametrize(
    "settled",
    [
        node(),
        node(FOREIGN),
        node(NOT_READY, ready="False"),
        node(UNSCHEDULABLE, unschedulable=True),
    ],
)
def test_nothing_is_written_when_taints_are_right(settled: dict[str, Any]) -> None:
    assert taint_plan(settled) == []
