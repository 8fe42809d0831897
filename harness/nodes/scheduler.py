"""The scheduler: binds pods to Ready nodes, pods of one owner apart from each other."""

from __future__ import annotations

from collections.abc import Iterable

from harness.nodes.owners import Key, controller_of, is_ready, key_of
from spiderpool.controller.queue import WorkQueue
from spiderpool.errors import Conflict, NotFound
from spiderpool.kube.api import Client, Informer, Object
from spiderpool.kube.resources import Resource


class Scheduler:
    """Binds each pod that has no node yet."""

    def __init__(self, client: Client, pods: Informer, nodes: Informer) -> None:
        self._client, self._pods, self._nodes = client, pods, nodes
        self._assumed: dict[str, str] = {}
        self.queue: WorkQueue[Key] = WorkQueue("scheduler", self.reconcile)

    def start(self) -> None:
        """Follow Pods, and Nodes because a pod may have waited for one."""
        self._pods.subscribe(self._on_pod)
        self._nodes.subscribe(lambda old, new: self._wake_waiting())

    def _on_pod(self, old: Object | None, new: Object | None) -> None:
        if new is not None and waits(new):
            self.queue.add(key_of(new))

    def _wake_waiting(self) -> None:
        for pod in self._pods.all():
            self._on_pod(None, pod)

    async def reconcile(self, key: Key) -> None:
        """Bind one pod; without a fitting node it waits for the nodes to change."""
        pod = self._pods.get(key[1], key[0])
        if pod is None or not waits(pod) or pod["metadata"]["uid"] in self._assumed:
            return
        node = choose(pod, self._nodes.all(), self._placed())
        if node is None:
            return
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": key[1], "namespace": key[0]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        try:
            await self._client.create(
                Resource("", "v1", f"pods/{key[1]}/binding", "Binding"), binding
            )
        except (Conflict, NotFound):
            return
        self._assumed[pod["metadata"]["uid"]] = node

    def _placed(self) -> list[Object]:
        """Pods with the nodes that they have, or will have once the watch tells of it."""
        pods = self._pods.all()
        uids = {pod["metadata"]["uid"] for pod in pods if not pod["spec"].get("nodeName")}
        self._assumed = {uid: node for uid, node in self._assumed.items() if uid in uids}
        return [
            pod | {"spec": pod["spec"] | {"nodeName": self._assumed[uid]}}
            if (uid := pod["metadata"]["uid"]) in self._assumed
            else pod
            for pod in pods
        ]


def waits(pod: Object) -> bool:
    """Whether a pod needs a node."""
    return not pod["spec"].get("nodeName") and not pod["metadata"].get("deletionTimestamp")


def choose(pod: Object, nodes: Iterable[Object], pods: Iterable[Object]) -> str | None:
    """The Ready node, matching ``nodeSelector``, with the fewest pods of the same owner.

    Ties go to the node with fewer pods, then to the lower name.
    """
    wanted = (pod["spec"].get("nodeSelector") or {}).items()
    fitting = [
        node["metadata"]["name"]
        for node in nodes
        if is_ready(node)
        and not (node.get("spec") or {}).get("unschedulable")
        and wanted <= (node["metadata"].get("labels") or {}).items()
    ]
    placed = [other for other in pods if other["spec"].get("nodeName") in fitting]
    owner = (controller_of(pod) or {}).get("uid")

    def load(name: str) -> tuple[int, int, str]:
        here = [other for other in placed if other["spec"]["nodeName"] == name]
        siblings = [o for o in here if owner and (controller_of(o) or {}).get("uid") == owner]
        return len(siblings), len(here), name

    return min(fitting, key=load, default=None)
