"""Nodes' taints follow their state, as kube-controller-manager's node lifecycle has it.

The API server taints a new node as not ready; somebody has to take that away.
"""

from __future__ import annotations

from harness.nodes.control.actions import Action, Patch, carry_out
from harness.nodes.control.catalogue import Catalogue
from harness.nodes.control.placement import NOT_READY, UNSCHEDULABLE, taints_of
from spiderpool.controller.queue import WorkQueue
from spiderpool.kube.api import Client, Object
from spiderpool.kube.resources import NODE

EFFECT = "NoSchedule"


class Nodes:
    """One queue of nodes' names."""

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self.queue: WorkQueue[str] = WorkQueue("nodes", self._reconcile)
        self._client, self._catalogue = client, catalogue

    def start(self) -> None:
        self._catalogue[NODE].subscribe(self._changed)

    def _changed(self, _: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add(new["metadata"]["name"])

    async def _reconcile(self, name: str) -> None:
        node = self._catalogue[NODE].get(name)
        if node is not None:
            await carry_out(self._client, self._catalogue, taint_plan(node))


def taint_plan(node: Object) -> list[Action]:
    """One patch that adds and removes taints, or none.

    It names the version that it was made from, so that nobody else's taint is lost.
    """
    before = (node.get("spec") or {}).get("taints") or []
    due = {taint["key"] for taint in taints_of({**node, "spec": _untainted(node)})}
    after = [taint for taint in taints_of(node) if not _is_ours(taint) or taint["key"] in due]
    if after == before:
        return []
    version = node["metadata"]["resourceVersion"]
    body = {"metadata": {"resourceVersion": version}, "spec": {"taints": after or None}}
    return [Patch(NODE, node, body)]


def _untainted(node: Object) -> Object:
    return {key: value for key, value in (node.get("spec") or {}).items() if key != "taints"}


def _is_ours(taint: Object) -> bool:
    return taint["key"] in (NOT_READY, UNSCHEDULABLE) and taint.get("effect") == EFFECT
